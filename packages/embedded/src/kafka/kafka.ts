import { openSync } from 'node:fs';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gudangDirectory } from '../gudang-directory.ts';
import { type Child, describeExit, type Exit, startChild } from '../processes/child.ts';
import { freePort, isFree } from '../processes/free-port.ts';
import { lastLines } from '../processes/last-lines.ts';
import { stopLeftover } from '../processes/leftover.ts';
import { StartError } from '../start-error.ts';
import { type ClassArchive, classArchive } from './class-archive.ts';
import { formatStorage } from './format-storage.ts';
import { findJava } from './java.ts';
import { kafkaAnswers } from './kafka-answers.ts';
import { kafkaLibraries } from './kafka-libraries.ts';
import { kafkaProperties, type ProxiedListener } from './kafka-properties.ts';
import { type SecuredListener, scramArguments } from './secured-listener.ts';

const POLL_MS = 50;
const READY_DEADLINE_MS = 60_000;
const STOP_WHILE_STARTING_MS = 1500;
/** One core and a quarter of a gigabyte are plenty for one machine; the first compiler alone halves the start. */
const JVM = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const LOGGING = [
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

export interface KafkaOptions {
  /** Where its data, settings, log and pid file are kept; made when missing. */
  directory: string;
  /** A free one when left out. */
  port?: number;
  /** Listeners beside the usual one, for clients behind a proxy. */
  proxied?: readonly ProxiedListener[];
  /** A listener with TLS and SASL; its users are made with the data, so they stay the same from start to start. */
  secured?: SecuredListener;
  /** The folder that holds Kafka's jars for all that run on this machine; `.gudang/kafka` unless told otherwise. */
  libraries?: string;
  /** Of the process that archives Kafka's classes beside the first start; below normal unless told otherwise. */
  archivePriority?: number;
  /** `kafka.log` in the directory unless told otherwise. */
  logFile?: string;
  log?: (line: string) => void;
  /** Gets how far a slow step is. */
  progress?: (text: string) => void;
  /** Ends a start that is under way. */
  signal?: AbortSignal;
}

export interface RunningKafka {
  port: number;
  pid: number;
  /** For KAFKA_BROKERS. */
  brokers: string;
  exited: Promise<Exit>;
  /** Ends it in order; kills it after the deadline (4,000 ms unless told otherwise). */
  stop(deadlineMs?: number): Promise<void>;
}

/**
 * A real Apache Kafka of one node as a child process, ready for clients; its data is kept in the directory.
 * @throws {StartError} in words for people
 */
export async function startKafka(options: KafkaOptions): Promise<RunningKafka> {
  const { directory, log = () => {}, signal } = options;
  signal?.throwIfAborted();
  const properties = join(directory, 'server.properties');
  const pidFile = join(directory, 'kafka.pid');
  const logFile = options.logFile ?? join(directory, 'kafka.log');
  const java = await findJava();
  const kept = options.libraries ?? join(gudangDirectory(), 'kafka');
  // By its real path: an archive of classes belongs to one class path, to the letter.
  const libraries = await realpath(await kafkaLibraries({ ...options, directory: kept }));
  options.progress?.('Starting Kafka');
  await mkdir(directory, { recursive: true });
  const leftover = await stopLeftover(pidFile, properties);
  if (leftover)
    log(`Kafka of an earlier start was still running (process ${leftover}); stopped it`);
  const port = options.port || (await freePort());
  if (!(await isFree(port))) throw new StartError(portTaken(port));
  const controllerPort = await keptPort(join(directory, 'controller-port'), port);
  const data = join(directory, 'data');
  const { proxied = [], secured } = options;
  await writeFile(properties, kafkaProperties({ port, controllerPort, data, proxied, secured }));
  const users = secured ? scramArguments(secured) : [];
  const listFile = join(directory, 'classes.lst');
  const priority = options.archivePriority;
  const archive = await classArchive({ java, jvm: JVM, libraries, listFile, priority });
  const jvm = [...JVM, ...archive.use, '-cp', join(libraries, '*')];
  await formatStorage({ java, jvm, directory, properties, users, ...(signal && { signal }) });
  const output = openSync(logFile, 'a');
  const child = await startChild({
    command: java.command,
    args: [...archive.record, ...LOGGING, ...jvm, 'kafka.Kafka', properties],
    cwd: directory,
    stdio: ['ignore', output, output],
    pidFile,
  });
  await ready(child, port, logFile, signal);
  return { port, pid: child.pid, brokers: `127.0.0.1:${port}`, ...archiving(child, archive) };
}

/** It has ended when the making of the archive has, too, which ends with it. */
function archiving(child: Child, archive: ClassArchive): Pick<RunningKafka, 'exited' | 'stop'> {
  const ending = new AbortController();
  const made = archive.make(ending.signal);
  const exited = child.exited.then(async (exit) => {
    ending.abort();
    await made;
    return exit;
  });
  const stop = async (deadlineMs?: number) => {
    await child.stop(deadlineMs);
    await exited;
  };
  return { exited, stop };
}

/** The controller's port stays the same from start to start while nobody else has taken it. */
async function keptPort(file: string, not: number): Promise<number> {
  const kept = Number(await readFile(file, 'utf8').catch(() => ''));
  if (kept && kept !== not && (await isFree(kept))) return kept;
  const port = await freePort();
  await writeFile(file, String(port));
  return port === not ? keptPort(file, not) : port;
}

async function ready(
  child: Child,
  port: number,
  logFile: string,
  signal?: AbortSignal,
): Promise<void> {
  const giveUpAt = Date.now() + READY_DEADLINE_MS;
  while (!(await kafkaAnswers(port))) {
    const exit = child.exit();
    if (exit?.signal) throw new Error(`ended while starting: ${exit.signal}`);
    if (exit) {
      const why = await lastLines(logFile);
      throw new StartError(`Kafka ended while starting (${describeExit(exit)}):\n${why}`);
    }
    if (signal?.aborted || Date.now() > giveUpAt) {
      await child.stop(STOP_WHILE_STARTING_MS);
      signal?.throwIfAborted();
      throw new StartError(
        `Kafka is not ready after ${READY_DEADLINE_MS / 1000} s; see ${logFile}`,
      );
    }
    await sleep(POLL_MS);
  }
}

function portTaken(port: number): string {
  return (
    `Port ${port} is taken, so Kafka cannot listen there. Stop what uses it, set KAFKA_PORT to another port, ` +
    'or set KAFKA_BROKERS to a running Kafka'
  );
}
