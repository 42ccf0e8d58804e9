import { readFileSync } from 'node:fs';
import { CommandError } from './cli.ts';

export interface FileSettings {
  /** The gateway's GraphQL address. */
  readonly url: string;
  readonly token: string | undefined;
  /** Days for which the services keep idempotency keys. */
  readonly keptDays: number;
  /** Folder in which `npm run` was called, to which relative paths belong. */
  readonly folder: string;
}

/** @throws {CommandError} if a setting is invalid */
export function readSettings(env: NodeJS.ProcessEnv): FileSettings {
  const url = env['GATEWAY_URL']?.trim() || 'http://localhost:4000/graphql';
  if (!URL.canParse(url))
    throw new CommandError(`GATEWAY_URL: ${JSON.stringify(url)} is not a URL`);
  const keptDays = Number(env['IDEMPOTENCY_DAYS']?.trim() || 30);
  if (!(keptDays > 0)) throw new CommandError('IDEMPOTENCY_DAYS must be a number of days');
  return { url, token: readToken(env), keptDays, folder: env['INIT_CWD'] ?? process.cwd() };
}

function readToken(env: NodeJS.ProcessEnv): string | undefined {
  const path = env['GUDANG_TOKEN_FILE']?.trim();
  if (!path) return env['GUDANG_TOKEN']?.trim() || undefined;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new CommandError(`GUDANG_TOKEN_FILE: ${(error as Error).message}`);
  }
}
