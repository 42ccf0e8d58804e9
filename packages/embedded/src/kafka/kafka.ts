import { openSync } from 'node:fs';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '@gudang/runtime/errors';
import { gudangDirectory } from '../gudang-directory.ts';
import {
  type Child,
  describeExit,
  type Exit,
  readLogTail,
  startChild,
} from '../processes/child.ts';
import { freePort, isFree } from '../processes/free-port.ts';
import { stopLeftover } from '../processes/leftover.ts';
import { type ClassArchive, findClassArchive } from './class-archive.ts';
import { formatStorage } from './format-storage.ts';
import { findJava } from './java.ts';
import { fetchKafkaLibraries } from './kafka-libraries.ts';
import { kafkaProperties, type ProxiedListener } from './kafka-properties.ts';
import { type SecuredListener, scramArguments } from './secured-listener.ts';

const POLL_MS = 50;
const READY_DEADLINE_MS = 60_000;
const STOP_WHILE_STARTING_MS = 1500;
/**
 * 256 MB and one core are enough for a broker on one machine. The C2 compiler is off, which halves
 * the time of a start.
 */
const JVM = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
/**
 * An ApiVersions request. Its bytes are: length 10; API key 18, version 0; correlation id 1; no
 * client id.
 */
const API_VERSIONS_REQUEST = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
const PROBE_TIMEOUT_MS = 1000;
const LOGGING = [
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

export interface KafkaOptions {
  /** The folder for Kafka's data, settings, log and pid file. It is created if it is missing. */
  directory: string;
  /** The broker's port. Default: a free port. */
  port?: number;
  /** Additional listeners, for clients behind a proxy. */
  proxied?: readonly ProxiedListener[];
  /**
   * A listener with TLS and SASL. Its SCRAM users are created together with the data; later changes
   * of the users have no effect.
   */
  secured?: SecuredListener;
  /** The folder of Kafka's jars, shared by all brokers of this machine. Default: `.gudang/kafka`. */
  libraries?: string;
  /** The priority of the process that archives Kafka's classes after the first start. Default: below normal. */
  archivePriority?: number;
  /** The class archive is written after this promise. Default: as soon as Kafka is ready. */
  archiveAfter?: Promise<unknown>;
  /** The log file. Default: `kafka.log` in the directory. */
  logFile?: string;
  log?: (line: string) => void;
  /** Receives the progress of slow steps. */
  progress?: (text: string) => void;
  /** Aborts the start. */
  signal?: AbortSignal;
}

export interface RunningKafka {
  port: number;
  pid: number;
  /** The value for KAFKA_BROKERS. */
  brokers: string;
  exited: Promise<Exit>;
  /** Stops Kafka; kills it after `deadlineMs` (default: 4,000). */
  stop(deadlineMs?: number): Promise<void>;
}

/**
 * Starts a one-node Apache Kafka as a child process. Resolves when Kafka serves clients.
 * @throws {StartError} if Kafka cannot start; the message says what to do
 */
export async function startKafka(options: KafkaOptions): Promise<RunningKafka> {
  const { directory, log = () => {}, signal } = options;
  signal?.throwIfAborted();
  const properties = join(directory, 'server.properties');
  const pidFile = join(directory, 'kafka.pid');
  const logFile = options.logFile ?? join(directory, 'kafka.log');
  const java = await findJava();
  const librariesRoot = options.libraries ?? join(gudangDirectory(), 'kafka');
  // Use the real path, because a class archive is valid for exactly one class path.
  const libraries = await realpath(
    await fetchKafkaLibraries({ ...options, directory: librariesRoot }),
  );
  options.progress?.('Starting Kafka');
  await mkdir(directory, { recursive: true });
  const leftover = await stopLeftover(pidFile, properties);
  if (leftover) log(`Stopped Kafka of an earlier start (process ${leftover})`);
  const port = options.port || (await freePort());
  if (!(await isFree(port))) throw new StartError(portInUse(port));
  const controllerPort = await findControllerPort(join(directory, 'controller-port'), port);
  const data = join(directory, 'data');
  const { proxied = [], secured } = options;
  await writeFile(properties, kafkaProperties({ port, controllerPort, data, proxied, secured }));
  const users = secured ? scramArguments(secured) : [];
  const listFile = join(directory, 'classes.lst');
  const priority = options.archivePriority;
  const archive = await findClassArchive({ java, jvm: JVM, libraries, listFile, priority });
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
  await waitUntilReady(child, port, logFile, signal);
  return {
    port,
    pid: child.pid,
    brokers: `127.0.0.1:${port}`,
    ...withArchiving(child, archive, options.archiveAfter),
  };
}

/**
 * Ties the archiving process to Kafka: the archiving process is killed when Kafka exits, and
 * `exited` waits until both have exited.
 */
function withArchiving(
  child: Child,
  archive: ClassArchive,
  after: Promise<unknown> = Promise.resolve(),
): Pick<RunningKafka, 'exited' | 'stop'> {
  const ending = new AbortController();
  const written = Promise.race([after, child.exited]).then(async () => {
    if (!child.exit()) await archive.write(ending.signal);
  });
  const exited = child.exited.then(async (exit) => {
    ending.abort();
    await written;
    return exit;
  });
  const stop = async (deadlineMs?: number) => {
    await child.stop(deadlineMs);
    await exited;
  };
  return { exited, stop };
}

/** Returns the controller's port of the previous start if that port is free, else another free port. */
async function findControllerPort(file: string, brokerPort: number): Promise<number> {
  const previous = Number(await readFile(file, 'utf8').catch(() => ''));
  if (previous && previous !== brokerPort && (await isFree(previous))) return previous;
  const port = await freePort();
  await writeFile(file, String(port));
  return port === brokerPort ? findControllerPort(file, brokerPort) : port;
}

async function waitUntilReady(
  child: Child,
  port: number,
  logFile: string,
  signal?: AbortSignal,
): Promise<void> {
  const giveUpAt = Date.now() + READY_DEADLINE_MS;
  while (!(await answers(port))) {
    const exit = child.exit();
    if (exit?.signal) throw new Error(`exited during its start: ${exit.signal}`);
    if (exit) {
      const why = await readLogTail(logFile);
      throw new StartError(`Kafka exited during its start (${describeExit(exit)}):\n${why}`);
    }
    if (signal?.aborted || Date.now() > giveUpAt) {
      await child.stop(STOP_WHILE_STARTING_MS);
      signal?.throwIfAborted();
      throw new StartError(
        `Kafka was not ready after ${READY_DEADLINE_MS / 1000} s; see ${logFile}`,
      );
    }
    await sleep(POLL_MS);
  }
}

/**
 * Whether a Kafka broker answers on this port of 127.0.0.1. An accepted connection would not prove
 * this: the port accepts connections seconds before the broker serves clients.
 */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: PROBE_TIMEOUT_MS });
    const done = (answered: boolean) => {
      resolve(answered);
      socket.destroy();
    };
    socket.once('connect', () => socket.write(API_VERSIONS_REQUEST));
    socket.once('data', () => done(true));
    socket.once('timeout', () => done(false));
    socket.once('error', () => done(false));
    socket.once('close', () => done(false));
  });
}

function portInUse(port: number): string {
  return (
    `Port ${port} is in use, so Kafka cannot listen there. Stop the other program, set KAFKA_PORT to another port, ` +
    'or set KAFKA_BROKERS to a running Kafka'
  );
}
