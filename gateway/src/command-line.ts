import type { Setting, SettingsTable } from '@gudang/runtime/settings';

/** The command that a command line contains. */
export type Command =
  /** Start the gateway with these environment variables in addition, which take precedence. */
  | { readonly kind: 'start'; readonly environment: Readonly<Record<string, string>> }
  /** Print a text and exit: to stdout with code 0, to stderr with another. */
  | { readonly kind: 'print'; readonly text: string; readonly code: number };

/** Settings that `--help` describes. The others are listed by their names. */
const MAIN = [
  'SUPERGRAPH',
  'PORT',
  'HOST',
  'SUBGRAPH_URLS',
  'SUBGRAPH_WS_URLS',
  'HEADER_RULES',
  'GATEWAY_PLUGINS',
  'CORS_ORIGINS',
  'AUTH',
  'JWT_JWKS_URL',
  'EXPLORE',
  'LOG_LEVEL',
];
/** Options that the process itself reads from its arguments. */
const PASSED_ON = ['--check', '--settings'];
const COLUMNS = 96;
const INDENT = 28;
/** Exit code for a wrong usage. */
const USAGE = 1;

/**
 * Reads the options of `gudang-gateway`. Each setting is an option: `--live-history-kib 256` and
 * `--live-history-kib=256` are LIVE_HISTORY_KIB=256. A flag without a value is `true`. Secrets are not
 * accepted, because other users of a machine can read the arguments of a process.
 * @param args without the program and the script
 * @param version of the package, for `--version`
 */
export function readCommandLine(
  args: readonly string[],
  {
    table,
    environment,
    version,
  }: {
    table: SettingsTable;
    environment: Readonly<Record<string, string | undefined>>;
    version: string;
  },
): Command {
  if (args.includes('--help') || args.includes('-h')) {
    return { kind: 'print', text: helpText(table, version), code: 0 };
  }
  if (args.includes('--version') || args.includes('-v')) {
    return { kind: 'print', text: `${version}\n`, code: 0 };
  }
  const { given, problems } = readOptions(args, table);
  const named = given['SUPERGRAPH'] ?? environment['SUPERGRAPH']?.trim();
  if (problems.length === 0 && !named && !args.includes('--settings')) {
    problems.push('No supergraph is given: use --supergraph <file or URL>, or set SUPERGRAPH');
  }
  if (problems.length === 0) return { kind: 'start', environment: given };
  const lines = [...problems, 'gudang-gateway --help lists the options.'];
  return { kind: 'print', text: lines.map((line) => `${line}\n`).join(''), code: USAGE };
}

function readOptions(args: readonly string[], table: SettingsTable) {
  const given: Record<string, string> = {};
  const problems: string[] = [];
  const rest = args.filter((arg) => !PASSED_ON.includes(arg));
  for (let at = 0; at < rest.length; at += 1) {
    const arg = rest[at] ?? '';
    const { option, inline } = splitOption(arg);
    const name = option.slice(2).toUpperCase().replaceAll('-', '_');
    const setting = option.startsWith('--') && option === optionOf(name) ? table[name] : undefined;
    const following = inline === undefined ? rest[at + 1] : undefined;
    const separate = following?.startsWith('--') ? undefined : following;
    if (option.startsWith('-') && separate !== undefined) at += 1;
    if (setting === undefined) {
      problems.push(describeUnknown(option));
      continue;
    }
    const value = inline ?? separate ?? (isFlag(setting) ? 'true' : undefined);
    const problem = problemOf({ option, name, setting, value, repeated: name in given });
    if (problem !== undefined) problems.push(problem);
    else given[name] = value ?? '';
  }
  return { given, problems };
}

function splitOption(arg: string): { option: string; inline?: string } {
  const equals = arg.indexOf('=');
  if (!arg.startsWith('--') || equals < 0) return { option: arg };
  return { option: arg.slice(0, equals), inline: arg.slice(equals + 1) };
}

function describeUnknown(option: string): string {
  if (option.startsWith('-')) return `Unknown option ${option}`;
  return `Unexpected argument ${JSON.stringify(option)}: every argument belongs to an option, such as --supergraph ${option}`;
}

function problemOf({
  option,
  name,
  setting,
  value,
  repeated,
}: {
  option: string;
  name: string;
  setting: Setting;
  value: string | undefined;
  repeated: boolean;
}): string | undefined {
  if (setting.secret) {
    return `${option}: secrets are not accepted as options, which other users of this machine can read; set the environment variable ${name}`;
  }
  if (repeated) return `${option} is given more than once`;
  if (!value?.trim()) return `${option} needs a value${exampleOf(setting)}`;
  if (hasUserOfUrl(value)) {
    return `${option}: other users of this machine can read a password in an option; set the environment variable ${name}`;
  }
  return undefined;
}

/** Whether a text contains a URL with a user or a password. */
function hasUserOfUrl(text: string): boolean {
  const [, ...afterScheme] = text.split('://');
  return afterScheme.some((rest) => rest.split('/', 1)[0]?.includes('@'));
}

function exampleOf({ example, default: initial }: Setting): string {
  const shown = example ?? initial;
  return shown ? `, for example ${shown}` : '';
}

function isFlag({ parse }: Setting): boolean {
  return parse.safeParse('true').data === true;
}

/** `--live-history-kib` for LIVE_HISTORY_KIB. */
function optionOf(name: string): string {
  return `--${name.toLowerCase().replaceAll('_', '-')}`;
}

function helpText(table: SettingsTable, version: string): string {
  const main = MAIN.flatMap((name) => {
    const setting = table[name];
    if (setting === undefined) return [];
    const initial = setting.default ? ` Default: ${setting.default}` : '';
    return [row(optionOf(name), `${setting.description}.${initial}`)];
  });
  const others = Object.entries(table)
    .filter(([name, { secret }]) => !secret && !MAIN.includes(name))
    .map(([name]) => optionOf(name));
  const secrets = Object.entries(table).flatMap(([name, { secret }]) => (secret ? [name] : []));
  const environment = `Each option is also an environment variable: --log-level debug is LOG_LEVEL=debug. An option takes precedence. Secrets are accepted from the environment only: ${secrets.join(', ')}.`;
  return `gudang-gateway ${version}: serves one GraphQL graph over any Federation 2 supergraph

Usage: gudang-gateway --supergraph <file or URL> [options]

${main.join('\n')}
${row('--check', 'Only checks the settings.')}
${row('--settings', 'Only prints all settings, as JSON.')}
${row('--version, --help', 'Print the version, or this text.')}

Other options:
${wrap(others.join(' '), COLUMNS - 2)
  .map((line) => `  ${line}`)
  .join('\n')}

${wrap(environment, COLUMNS).join('\n')}
docs/configuration.md in the package describes every setting.
`;
}

function row(option: string, description: string): string {
  const [first = '', ...rest] = wrap(description, COLUMNS - INDENT);
  return [
    `  ${option.padEnd(INDENT - 2)}${first}`,
    ...rest.map((line) => `${' '.repeat(INDENT)}${line}`),
  ].join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
