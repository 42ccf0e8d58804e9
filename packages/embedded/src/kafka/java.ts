import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from '@gudang/runtime/errors';

const run = promisify(execFile);
const OLDEST = 17;
const ADVICE = `Install a JDK ${OLDEST} or newer (https://adoptium.net), or set KAFKA_BROKERS to a running Kafka`;

export interface Java {
  command: string;
  /** The output of `java -version`, which identifies the build. */
  build: string;
}

/**
 * Finds the command that runs Java: in JAVA_HOME if that is set, else in PATH.
 * @throws {StartError} if Java is missing or older than Kafka requires
 */
export async function findJava(env: NodeJS.ProcessEnv = process.env): Promise<Java> {
  const java = env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java';
  if (env.JAVA_HOME && !existsSync(java)) {
    throw new StartError(
      `Kafka needs Java, but JAVA_HOME (${env.JAVA_HOME}) has no bin/java. ${ADVICE}`,
    );
  }
  let output: string;
  try {
    output = (await run(java, ['-version'], { env })).stderr;
  } catch {
    throw new StartError(`Kafka needs Java, which was not found. ${ADVICE}`);
  }
  const version = parseJavaVersion(output);
  if (version && version.major < OLDEST) {
    throw new StartError(
      `Kafka needs Java ${OLDEST} or newer; found ${version.text} (${java}). ${ADVICE}`,
    );
  }
  return { command: java, build: output };
}

/**
 * Parses the output of `java -version`: `"1.8.0_292"` is Java 8; others, such as `"17.0.15"`, `"21"`
 * and `"24-ea"`, begin with the major version.
 */
export function parseJavaVersion(output: string): { major: number; text: string } | undefined {
  const text = /version "([^"]+)"/.exec(output)?.[1];
  const major = text && /^(?:1\.)?(\d+)/.exec(text)?.[1];
  return major ? { major: Number(major), text } : undefined;
}
