import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from '@gudang/runtime/errors';
import { findJava } from '../kafka/java.ts';
import { findMaven } from '../kafka/kafka-libraries.ts';
import { findPostgres } from '../postgres/postgres-binaries.ts';
import { findUnprivilegedUser } from '../postgres/unprivileged-user.ts';
import { isFree } from '../processes/free-port.ts';
import type { ServicePlan, Services } from './service-plan.ts';
import { type PartName, portSetting, type StartSettings } from './start-settings.ts';

const run = promisify(execFile);
const OWN_SERVER_ADVICE: Partial<Record<PartName, string>> = {
  postgres: ', or ORDER_DATABASE_URL and STOCK_DATABASE_URL to a running PostgreSQL',
  kafka: ', or KAFKA_BROKERS to a running Kafka',
};

/** Checks whether the system can start, without starting it. Returns one line for each problem. */
export async function preflight(settings: StartSettings, services: Services): Promise<string[]> {
  const checks: Promise<string[]>[] = Object.values(services).map(serviceProblems);
  const parts: PartName[] = ['gateway', 'order', 'stock'];
  if (!settings.databases) {
    parts.push('postgres');
    checks.push(problemOf(findPostgres), problemOf(findUnprivilegedUser));
  }
  if (!settings.brokers) {
    parts.push('kafka');
    checks.push(
      problemOf(findJava),
      problemOf(async () => findMaven(join(settings.directory, 'kafka'))),
    );
  }
  const usable = parts.filter((part) => !settings.badPorts.includes(part));
  checks.push(...usable.map((part) => portProblems(part, settings.ports[part])));
  // Remove duplicates: the services share settings, so several services may report the same
  // problem.
  return [...new Set((await Promise.all(checks)).flat())];
}

async function serviceProblems({ script, env }: ServicePlan): Promise<string[]> {
  try {
    await run(process.execPath, [script, '--check'], { env });
    return [];
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string };
    const lines = stderr.split('\n').filter((line) => line.trim() !== '');
    return lines.length > 0 ? lines : [message];
  }
}

async function portProblems(part: PartName, port: number): Promise<string[]> {
  if (await isFree(port)) return [];
  return [
    `Port ${port} is in use, so ${part} cannot listen there: stop the other program, ` +
      `or set ${portSetting(part)} to another port${OWN_SERVER_ADVICE[part] ?? ''}`,
  ];
}

async function problemOf(check: () => Promise<unknown>): Promise<string[]> {
  try {
    await check();
    return [];
  } catch (error) {
    if (error instanceof StartError) return [error.message];
    throw error;
  }
}
