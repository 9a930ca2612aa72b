/** What a browser shows of a server whose console nobody has built. */
export const notBuiltPage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Millrace</title>
    <style>
      body { font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; }
      :root { color-scheme: light dark; }
    </style>
  </head>
  <body>
    <h1>Millrace is up; its console has not been built</h1>
    <p>Stop the server, run <code>node bin/setup.mjs</code> in the clone, and start it again: it builds
      what is missing. The API and the command line work without the console:
      <a href="/openapi.json">/openapi.json</a>.</p>
    <h1 lang="zh-CN">Millrace 已启动，但控制台尚未构建</h1>
    <p lang="zh-CN">请停止服务，在代码目录中运行 <code>node bin/setup.mjs</code>，然后重新启动。没有控制台也可以使用
      API 和命令行：<a href="/openapi.json">/openapi.json</a>。</p>
  </body>
</html>
`;
