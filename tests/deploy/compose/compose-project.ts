import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const FOLDER = fileURLToPath(new URL('../../../docker/', import.meta.url));
const HERE = fileURLToPath(new URL('./', import.meta.url));

export type Environment = Readonly<Record<string, string>>;

/** State of one container. */
export interface Container {
  readonly id: string;
  readonly service: string;
  readonly image: string;
  readonly startedAt: string;
  /** Process id of its main process on the engine's machine. */
  readonly pid: number;
  /** `healthy` as well if it has no health check. */
  readonly isReady: boolean;
}

/**
 * Runs a command of the Docker CLI on the engine that DOCKER_HOST or the CLI's context names.
 * @returns the standard output
 * @throws with the standard error
 */
export async function docker(
  args: readonly string[],
  environment: Environment = {},
): Promise<string> {
  const env = { ...process.env, ...environment };
  try {
    const { stdout } = await exec('docker', args, { env, maxBuffer: 64 * 1024 * 1024 });
    return stdout.trim();
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const lines = stderr.trim().split('\n').slice(-5).join('\n');
    throw new Error(`docker ${args.slice(0, 2).join(' ')} … failed: ${lines}`, { cause: error });
  }
}

/** A Compose project of this repository, under a name of its own. */
export class ComposeProject {
  readonly name: string;
  readonly #files: readonly string[];
  readonly #environment: Environment;

  /** @param isPublic whether compose.public.yaml is added, which requires auth and adds TLS */
  constructor({
    name,
    isPublic = false,
    environment,
  }: {
    name: string;
    isPublic?: boolean;
    environment: Environment;
  }) {
    this.name = name;
    this.#environment = environment;
    this.#files = [
      `${FOLDER}compose.yaml`,
      `${HERE}compose.try.yaml`,
      ...(isPublic ? [`${FOLDER}compose.public.yaml`, `${HERE}compose.try-public.yaml`] : []),
    ];
  }

  /** Runs a command of Compose. @param environment overrides the project's variables */
  run(args: readonly string[], environment: Environment = {}): Promise<string> {
    const files = this.#files.flatMap((file) => ['--file', file]);
    return docker(['compose', '--project-name', this.name, ...files, ...args], {
      ...this.#environment,
      ...environment,
    });
  }

  /** Creates and starts the containers of all services, or of some, and waits until they are healthy. */
  async up(options: readonly string[] = [], environment: Environment = {}): Promise<void> {
    await this.run(['up', '--detach', '--wait', '--wait-timeout', '180', ...options], environment);
  }

  /** Runs docker/upgrade.sh for some services. */
  async upgrade(services: readonly string[], environment: Environment): Promise<void> {
    const names = { COMPOSE_FILE: this.#files.join(':'), COMPOSE_PROJECT_NAME: this.name };
    const env = { ...process.env, ...this.#environment, ...names, ...environment };
    await exec('sh', [`${FOLDER}upgrade.sh`, ...services], { env, cwd: FOLDER });
  }

  /** Removes the containers and their data. */
  async down(): Promise<void> {
    await this.run(['down', '--volumes', '--remove-orphans', '--timeout', '20']);
  }

  /** Returns the running containers of one service, or of all. */
  async containers(service?: string): Promise<Container[]> {
    const label = 'com.docker.compose';
    const filters = [`label=${label}.project=${this.name}`];
    if (service !== undefined) filters.push(`label=${label}.service=${service}`);
    const list = await docker(['ps', '-q', ...filters.flatMap((one) => ['--filter', one])]);
    if (list === '') return [];
    const inspected = JSON.parse(await docker(['inspect', ...list.split('\n')]));
    return inspected.map(({ Id, Config, State }: Inspected) => ({
      id: Id,
      service: Config.Labels[`${label}.service`] ?? '',
      image: Config.Image,
      startedAt: State.StartedAt,
      pid: State.Pid,
      isReady: State.Running && (State.Health?.Status ?? 'healthy') === 'healthy',
    }));
  }

  /** Returns the last lines of the log of a service. */
  logs(service: string, lines = 30): Promise<string> {
    return this.run(['logs', '--no-color', '--tail', String(lines), service]);
  }
}

interface Inspected {
  readonly Id: string;
  readonly Config: { readonly Image: string; readonly Labels: Readonly<Record<string, string>> };
  readonly State: {
    readonly StartedAt: string;
    readonly Pid: number;
    readonly Running: boolean;
    readonly Health?: { readonly Status: string };
  };
}
