#!/usr/bin/env node
/**
 * `npm start`: builds the packages, and fetches Kafka at the same time if it is missing. Then starts the
 * system. This file is JavaScript, because nothing is built when it runs.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { env, execPath, exit, stderr, versions } from 'node:process';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const packages = join(repository, 'packages');
/** The workspaces that a start needs. Each brings those on which it depends. */
const PARTS = ['embedded', 'gateway', 'pages', 'order-subgraph', 'stock-subgraph'];
const toFilter = (name) => `--filter=@gudang/${name}`;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const children = [];

/** Returns what is missing for the build; undefined if nothing is missing. */
function findProblem() {
  const { engines } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const oldest = engines.node.replace('>=', '');
  const [major, minor] = versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldest.split('.').map(Number);
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    return `Gudang needs Node ${oldest} or newer; this is Node ${versions.node}`;
  }
  return existsSync(join(repository, 'node_modules/turbo'))
    ? undefined
    : 'The dependencies are not installed: run npm ci first';
}

function run(...args) {
  // In the repository, Node finds tsx, and turbo finds the workspaces.
  const child = spawn(execPath, args, {
    cwd: repository,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  children.push(child);
  return child;
}

/** Whether an earlier start has fetched Kafka, or the user has a Kafka. */
function hasKafka() {
  if (env.KAFKA_BROKERS?.trim()) return true;
  const kafka = join(resolve(repository, env.GUDANG_DIR?.trim() || '.gudang'), 'kafka');
  return existsSync(kafka) && readdirSync(kafka).some((name) => /^lib-[\d.]+$/.test(name));
}

function stop() {
  for (const child of children) child.kill();
  exit(130);
}

const problem = findProblem();
if (problem) {
  stderr.write(`${problem}\n`);
  exit(1);
}
for (const signal of SIGNALS) process.on(signal, stop);
const build = run(join(packages, 'bundle/turbo.js'), 'build', ...PARTS.map(toFilter));
if (!hasKafka()) {
  const program = join(packages, 'embedded/src/kafka/fetch-kafka.ts');
  run('--conditions=source', '--import', 'tsx', program);
}
const [code] = await once(build, 'exit');
if (code !== 0) {
  for (const child of children) child.kill();
  exit(code ?? 1);
}
for (const signal of SIGNALS) process.off(signal, stop);
// A start that ends early must not leave a download running.
process.once('exit', () => {
  for (const child of children) child.kill();
});
await import('./dist/start.js');
