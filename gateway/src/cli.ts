#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { argv, env, stderr, stdout } from 'node:process';
import { readCommandLine } from './command-line.ts';
import { manifestPath } from './package-files.ts';
import { gatewaySettings } from './settings.ts';

const { version } = JSON.parse(readFileSync(manifestPath, 'utf8')) as { version: string };
const command = readCommandLine(argv.slice(2), {
  table: gatewaySettings,
  environment: env,
  version,
});
if (command.kind === 'start') {
  Object.assign(env, command.environment);
  await import('./main.ts');
} else {
  (command.code === 0 ? stdout : stderr).write(command.text);
  process.exitCode = command.code;
}
