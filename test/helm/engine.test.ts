/**
 * The reader of templates follows Go. What each case gives is what Go's own template engine gave for it,
 * with the functions of Sprig and the spaces of Helm.
 */
import { expect, test } from "vitest";

import { parse } from "./parse.ts";
import { runNodes } from "./run.ts";

function give(source: string, data: unknown): string {
  const { nodes, defined } = parse(source);
  return runNodes({ defined }, nodes, data);
}

const data = { name: "cloud", none: "", zero: 0, list: ["a", "b"], map: { b: 2, a: "x" } };

const cases: readonly [string, string][] = [
  ["a {{- .name -}} b", "acloudb"],
  ["a\n{{- /* said\naside */}}\nb", "a\nb"],
  ["{{ if .none }}1{{ else if .zero }}2{{ else }}3{{ end }}", "3"],
  ["{{ with .map }}{{ .a }}{{ $.name }}{{ end }}", "xcloud"],
  ["{{ range $x := .list }}<{{ $x }}{{ . }}>{{ end }}", "<aa><bb>"],
  ['{{ $n := printf "%s-%d" .name 7 }}{{ $n | quote }}', '"cloud-7"'],
  ['{{ .missing }}|{{ .map.missing }}|{{ default "d" .none }}', "||d"],
  ["{{ and .name .none }}|{{ or .none .name }}|{{ not .list }}", "|cloud|false"],
  ['{{ (dict "k" .map).k.a }}{{ index .list 1 }}', "xb"],
  ["{{ .map | toYaml | nindent 2 }}", "\n  a: x\n  b: 2"],
  ['{{ list "on" true | toYaml }}', '- "on"\n- true'],
  ['{{ toJson .list }}{{ has "b" .list }}{{ contains "lo" .name }}', '["a","b"]truetrue'],
  ['{{ "cloud-" | trunc 6 | trimSuffix "-" }}', "cloud"],
  ['{{ define "t" }}[{{ . }}]{{ end }}{{ include "t" .name }}', "[cloud]"],
];
test.each(cases)("%j", (source, expected) => {
  expect(give(source, data)).toBe(expected);
});

const unknown = [
  "{{ end }}",
  "{{ if .a }}",
  "{{ range .list }}{{ else }}{{ end }}",
  '{{ lookup "v1" }}',
  "{{ .name.first }}",
  "{{ $never }}",
  "{{ .list }}",
  '{{ template "t" . }}',
];
test.each(unknown)("what is not known here is refused: %j", (source) => {
  expect(() => give(source, data)).toThrow(Error);
});
