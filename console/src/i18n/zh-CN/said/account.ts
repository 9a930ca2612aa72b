/** What the server says of money, orders, people and requests as such: its English sentence, and ours. */
import type { Said } from "#console/i18n/said.ts";

export const account: Said = [
  // Orders and payments.
  [
    "The price is {now} CNY now, not {expected} CNY; ask for a quote and order again.",
    "当前价格为 {now} 元，不是 {expected} 元。请重新询价后下单。",
  ],
  [
    "The package {code} expired: it could be used, and given back, until {day}.",
    "套餐 {code} 已过期：使用和退订截止 {day}。",
  ],
  ["There is no package {code}; packages are {codes}.", "没有套餐 {code}，现有套餐：{codes}。"],
  ["{name} is being changed already; wait until that is done.", "{name} 正在变更，请等待完成。"],
  ["{name} has ended already.", "{name} 已结束。"],
  ["{name} has ended.", "{name} 已结束。"],
  ["It is paid until {until} by now; ask for a quote again.", "目前已付至 {until}，请重新询价。"],
  ["An upgrade is under way; renew when that is done.", "正在升级，完成后再续订。"],
  [
    "{name} is {*state}; that needs an active subscription.",
    "{name} {state}，只有生效中的包期可以这样操作。",
  ],
  [
    "{name} is {*state}; it is renewed while it is active, or lapsed and still kept.",
    "{name} {state}，只有生效中或到期保留中的包期可以续订。",
  ],
  [
    "{name} is paid until {until}, more than {days} days ahead; renew it later.",
    "{name} 已付至 {until}，超过提前续订上限 {days} 天，请稍后再续。",
  ],
  [
    "{sku} is not larger than {before}; another size from the next term on: renew with that flavor.",
    "{sku} 不大于 {before}。如需从下一周期起换规格，请按该规格续订。",
  ],
  [
    "A machine of {from} cannot become one of {to}: it keeps its model of GPU, or none. Order another one instead.",
    "{from} 的机器不能变为 {to}：GPU 型号不能变更。请另行订购。",
  ],
  [
    "An expansion ends no later than the paid term, at {until}: {most} days at most, not {days}. Renew the subscription first.",
    "扩容不能晚于包期结束（{until}）：最多 {most} 天，不能为 {days} 天。请先续订。",
  ],
  [
    "The machine {name} does not run; start it before it is expanded.",
    "机器 {name} 未在运行，请先启动再扩容。",
  ],
  ["{sku} cannot be added while it runs: {*because}.", "运行中无法增加 {sku}：{because}。"],
  [
    "The machine is being changed for this expansion; release it when that is done.",
    "机器正在按此扩容变更，完成后再释放。",
  ],
  ["This expansion is over.", "此扩容已结束。"],
  ["This service has ended already.", "此服务已结束。"],
  [
    "{count} payments wait already; {most} may. Cancel those that you do not make.",
    "已有 {count} 笔待支付，上限 {most} 笔。请取消不再支付的。",
  ],
  ["The payment is {*state} and cannot be canceled.", "付款{state}，无法取消。"],
  ["There is no payment {id}.", "没有付款 {id}。"],
  ["There is no such payment.", "没有这笔付款。"],
  ["There is no such invoice.", "没有这张发票。"],
  [
    "A credit note has no lines; export the invoice it names.",
    "红字发票没有明细，请导出它对应的发票。",
  ],
  ["There is no line of {sku} on {day}.", "{day} 没有 {sku} 的账单行。"],
  [
    "A statement covers 1 to {most} days; {from} to {through} are {days}.",
    "账单可覆盖 1 到 {most} 天；{from} 至 {through} 共 {days} 天。",
  ],
  ["The last day {last} is before the first, {first}.", "结束日期 {last} 早于开始日期 {first}。"],
  [
    "At most {most} stretches at once: ask for fewer days, or by week or month.",
    "一次最多 {most} 段：请缩短日期范围，或按周、按月查看。",
  ],
  [
    "No price profile is in force; the operator has to add one.",
    "没有生效的价格方案，需由运营方添加。",
  ],
  [
    "{count} applications of yours wait for an answer already; withdraw one first.",
    "已有 {count} 份申请等待答复，请先撤回一份。",
  ],
  ["There is no such application, or it has its answer already.", "没有这份申请，或已有答复。"],
  [
    "Read and accept first: {names} (millrace agreement list).",
    "请先阅读并接受：{names}（millrace agreement list）。",
  ],
  ["This is not the text that was published; read it again.", "这不是已发布的文本，请重新阅读。"],
  [
    "No checkpoint covers this event yet; there will be one within a minute.",
    "尚无检查点覆盖此事件，一分钟内会有。",
  ],
  ["The metering log has no checkpoint yet: nothing was used.", "计量日志还没有检查点：尚无用量。"],

  ["A term is {terms}, not {term}.", "包期可选 {terms}，不能为 {term}。"],
  [
    "A {role} does not handle API keys of a {other}, who may do more.",
    "{*role}不能管理权限更高的{*other}的 API 密钥。",
  ],
  ["A {role} does not invite a {other}, who may do more.", "{*role}不能邀请权限更高的{*other}。"],
  [
    "An expansion is extended while it is active, not {*state}.",
    "只能在扩容生效期间延长，当前{state}。",
  ],
  ["This expansion is extended already; extend {id}.", "此扩容已延长，请延长 {id}。"],
  ["There is no expansion {id}.", "没有扩容 {id}。"],
  ["There is no package {id}.", "没有算力包 {id}。"],
  ["There is no service {id}.", "没有服务 {id}。"],
  ["There is no subscription {id}.", "没有包期 {id}。"],
  ["There is no such agreement.", "没有这份协议。"],
  ["There is no such operation.", "没有这个操作。"],
  ["Many are signing in at this moment; try again.", "当前登录人数较多，请重试。"],
  ["Only the operator's own tenant has root users.", "只有运营方账户可以有平台管理员。"],
  ["Say with which e-mail address you will sign in.", "请填写用于登录的邮箱。"],
  ["Say with which e-mail address the user will sign in.", "请填写该成员用于登录的邮箱。"],
  [
    "This API key may only hand in usage; nobody signs in with it.",
    "此 API 密钥只能上报用量，不能用于登录。",
  ],
  ["What may only read sets no password.", "只读凭证不能设置密码。"],
  [
    "The flavor {flavor} {why}. By the month or year: {sold}.",
    "规格 {flavor} 不能按包期购买。可包月或包年的规格：{sold}。",
  ],
  [
    "{skus} has no price by the day (on request), so it cannot be added.",
    "{skus} 没有按天的价格（价格另议），不能增加。",
  ],
  [
    "The machine of {name} has no GPU to add to; CPUs and memory can be added.",
    "{name} 的机器没有 GPU 可增加，只能增加 CPU 和内存。",
  ],
  [
    "The next term of {name} is paid already, in its size; upgrade it when that has begun.",
    "{name} 的下一周期已按原规格付款，开始后再升级。",
  ],
  ["This service is {*state}; an offer comes before.", "此服务{state}，需先有报价。"],
  ["There is no such lease that is sized by what it uses.", "没有这个按用量自动调整的实例。"],
  [
    "The operator releases no leases like {name} for idleness.",
    "运营方不会因闲置释放 {name} 这类实例。",
  ],
  [
    "The operator lets no lease be kept for good; keep it once, each time that you are told.",
    "运营方不允许永久保留实例，请在每次收到通知时保留一次。",
  ],
  [
    "There is no such snapshot of a lease that was released for idleness, or its time is over.",
    "没有这个因闲置释放而保留的快照，或它已过期。",
  ],
  ["{name} is still being released; try again in a moment.", "{name} 仍在释放中，请稍后再试。"],

  // People and keys.
  ['There is a user "{name}" already.', "已有名为“{name}”的成员。"],
  ['There is a project "{name}" already.', "已有名为“{name}”的项目。"],
  ['There is a tenant "{name}" already.', "已有名为“{name}”的租户。"],
  ["Somebody signs in with this e-mail address already.", "此邮箱已被他人用于登录。"],
  ["There is no such user.", "没有这个成员。"],
  ["There is no such user in this tenant.", "此账户下没有这个成员。"],
  ["There is no such project.", "没有这个项目。"],
  ["There is no such tenant.", "没有这个租户。"],
  ["There is no such tenant, or it is not yours.", "没有这个租户，或它不属于您。"],
  ["There is no such session.", "没有这个登录会话。"],
  ["There is no such session. Sign in.", "登录会话不存在，请登录。"],
  ["This session was ended. Sign in again.", "登录会话已结束，请重新登录。"],
  ["This session has expired. Sign in again.", "登录会话已过期，请重新登录。"],
  ["There is no such API key.", "没有这个 API 密钥。"],
  ["This API key was revoked.", "此 API 密钥已吊销。"],
  ["This API key has expired.", "此 API 密钥已过期。"],
  ["This API key may only read.", "此 API 密钥只有读取权限。"],
  ["This API key may only hand in usage.", "此 API 密钥只能上报用量。"],
  ["No API key has this secret.", "没有这个 API 密钥。"],
  ["That is not a Millrace API key.", "这不是 Millrace 的 API 密钥。"],
  ["The user of this API key is disabled.", "此 API 密钥所属成员已停用。"],
  ["Only an administrator makes API keys for other users.", "只有管理员可以为他人创建 API 密钥。"],
  ["That is not your current password.", "当前密码不正确。"],
  ["Address and password do not belong together.", "邮箱与密码不匹配。"],
  [
    "This link was used, has expired, or was never given out. Ask for another.",
    "链接已使用、已过期或无效，请重新获取。",
  ],
  [
    "The role {role} does not have the permission {permission}.",
    "{*role}角色没有 {permission} 权限。",
  ],
  ["A {role} cannot make somebody a {other}.", "{*role}不能授予{*other}角色。"],
  ["A {role} does not change a {other}.", "{*role}不能修改{*other}。"],
  [
    '"{name}" is the last active {role} and stays one. Give the role to somebody else first.',
    "“{name}”是最后一个在用的{*role}，不能变更。请先将该角色授予他人。",
  ],
  ['"{name}" is disabled. Enable the user first.', "“{name}”已停用，请先启用。"],
  [
    "The default project stays: work goes there by itself.",
    "默认项目不能删除：未指定项目的工作归入其中。",
  ],
  ["The project still holds {*list}; remove them first.", "项目中还有 {list}，请先移除。"],
  ["The project still holds {*list}; remove it first.", "项目中还有 {list}，请先移除。"],
  ["{count} leases", "{count} 个租用"],
  ["{count} jobs", "{count} 个作业"],
  ["{count} groups", "{count} 个伸缩组"],
  ["1 lease", "1 个租用"],
  ["1 group", "1 个伸缩组"],
  ["1 job", "1 个作业"],
  ["You have no SSH key {name}.", "您没有 SSH 密钥 {name}。"],
  ['You have an SSH key named "{name}" already.', "已有名为“{name}”的 SSH 密钥。"],
  ["You added this SSH key already, under another name.", "此 SSH 密钥已用其他名称添加过。"],
  ["There is no such SSH key.", "没有这个 SSH 密钥。"],
  [
    "Port 22 is not a customer's to open: from where SSH reaches machines is the operator's decision. Choose another port, or ask him.",
    "22 端口不由客户开放：SSH 可从哪里访问由运营方决定。请选择其他端口，或联系运营方。",
  ],
  [
    "{source} is an IPv4 address in the form of IPv6; write it as IPv4.",
    "{source} 是 IPv6 形式的 IPv4 地址，请写成 IPv4。",
  ],
  ["{source} is no network.", "{source} 不是网段。"],
  ["For that address alone write {alone}.", "若只允许该地址，请写 {alone}。"],
  [
    "Write a network such as 203.0.113.0/24 or 2001:db8::/32.",
    "请写网段，如 203.0.113.0/24 或 2001:db8::/32。",
  ],
  [
    "{source} is an address within a network. Write {network} for the network, or {alone} for the address alone.",
    "{source} 是网段中的一个地址。整个网段请写 {network}，只允许该地址请写 {alone}。",
  ],
  [
    "This account rents core instances alone, and {flavor} shares its CPUs. Choose a flavor of the class core, or ask the operator.",
    "此账户只租用核心级实例，而 {flavor} 共享 CPU。请选择 core 等级的规格，或联系运营方。",
  ],
  [
    "The tenant still has instances that share their CPUs: {names}. Have them released first.",
    "该租户仍有共享 CPU 的实例：{names}。请先将其释放。",
  ],
  ["There is no such open port.", "没有这个开放的端口。"],
  ["There is no such lease in this project.", "此项目中没有这个实例。"],
  ["No port can be opened: no site is connected.", "无法开放端口：尚未接入任何站点。"],
  ["No port can be opened: {*because}.", "无法开放端口：{because}。"],
  ["The public key {why}.", "公钥无效：{why}。"],
  [
    "There are {used} {what} already; {limit} is the most.",
    "已有 {used} 个（{*what}），上限 {limit} 个。",
  ],
  [
    "That is beyond the customer's own limit of {limit} {what}; the operator can raise it.",
    "超出账户上限 {limit} {what}，可请运营方提高。",
  ],

  // Requests as such.
  ["Not valid: {why}.", "输入无效：{*why}。"],
  [
    "Something failed inside. The log has the cause under the request id {id}.",
    "服务器内部出错。日志中可按请求编号 {id} 查到原因。",
  ],
  ["The database took too long; try again.", "数据库响应超时，请重试。"],
  ["The server is closing; try again in a moment.", "服务器正在关闭，请稍后重试。"],
  [
    "Too many tries to sign in from this address; wait a little.",
    "此地址登录尝试过多，请稍候再试。",
  ],
  [
    "Too many tries with this account; wait a little, or sign in by a link or an API key.",
    "此账户登录尝试过多，请稍候，或使用链接、API 密钥登录。",
  ],
  [
    "Too many requests with this API key: {count} per second is the most.",
    "此 API 密钥请求过多：每秒最多 {count} 次。",
  ],
  [
    "There is nothing at this path. /openapi.json lists what is.",
    "此路径不存在。可用路径见 /openapi.json。",
  ],
  ["This cursor was not given out by this list.", "翻页游标不属于此列表。"],
  [
    "The disk of this cloud is full, so the file could not be kept. Tell the operator; try again later.",
    "云端磁盘已满，文件未能保存。请告知运营方，稍后再试。",
  ],
];
