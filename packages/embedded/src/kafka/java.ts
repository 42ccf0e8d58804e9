import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from '../start-error.ts';

const run = promisify(execFile);
const OLDEST = 17;
const WAY_OUT = `Install a JDK ${OLDEST} or newer (https://adoptium.net), or set KAFKA_BROKERS to a running Kafka`;

export interface Java {
  command: string;
  /** What it says of itself, the same for the same build. */
  build: string;
}

/**
 * The command that runs Java: JAVA_HOME's, else the one on the PATH.
 * @throws {StartError} when there is none, or it is older than Kafka wants
 */
export async function findJava(env: NodeJS.ProcessEnv = process.env): Promise<Java> {
  const java = env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java';
  if (env.JAVA_HOME && !existsSync(java)) {
    throw new StartError(
      `Kafka needs Java, but JAVA_HOME (${env.JAVA_HOME}) has no bin/java. ${WAY_OUT}`,
    );
  }
  let output: string;
  try {
    output = (await run(java, ['-version'], { env })).stderr;
  } catch {
    throw new StartError(`Kafka needs Java, and there is none here. ${WAY_OUT}`);
  }
  const version = parseJavaVersion(output);
  if (version && version.major < OLDEST) {
    throw new StartError(
      `Kafka needs Java ${OLDEST} or newer; found ${version.text} (${java}). ${WAY_OUT}`,
    );
  }
  return { command: java, build: output };
}

/** What `java -version` says: `"1.8.0_292"` is Java 8, `"17.0.15"`, `"21"` and `"24-ea"` are what they look like. */
export function parseJavaVersion(output: string): { major: number; text: string } | undefined {
  const text = /version "([^"]+)"/.exec(output)?.[1];
  const major = text && /^(?:1\.)?(\d+)/.exec(text)?.[1];
  return major ? { major: Number(major), text } : undefined;
}
