import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir } from 'node:fs/promises';
import { basename, join, posix } from 'node:path';
import { execForm, type Stage, type Step } from './dockerfile.ts';

/** Result of a build: the root folder and the start configuration of an image. */
export interface BuiltImage {
  /** Folder that is the root of the image's file system. */
  readonly root: string;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string;
  readonly command: readonly string[];
}

/**
 * Runs the stages of a Dockerfile without a Docker engine. Each stage is a folder, and the commands of
 * the stage run there in this machine's shell. Commands with absolute paths are skipped and reported,
 * because they would change this machine. The images do not need them: they only remove tools from the
 * base image.
 */
export async function runStages(
  stages: readonly Stage[],
  {
    target,
    context,
    directory,
    environment,
    done,
    print,
  }: {
    target: string;
    /** Folder with the build context, without the files that .dockerignore lists. */
    context: string;
    /** An empty folder. */
    directory: string;
    environment: Readonly<Record<string, string>>;
    /** Cache of built stages, by their instructions and their base. The function adds the stages that it builds. */
    done: Map<string, BuiltImage>;
    print: (line: string) => void;
  },
): Promise<BuiltImage> {
  const built = new Map<string, BuiltImage>();
  for (const stage of neededStages(stages, target)) {
    const base = built.get(stage.from);
    const key = JSON.stringify([stage, base?.root]);
    const cached = done.get(key);
    if (cached) {
      built.set(stage.name, cached);
      if (stage.name === target) return cached;
      continue;
    }
    const root = join(directory, `${stage.name}-${done.size}`);
    await mkdir(root, { recursive: true });
    if (base) await cp(base.root, root, { recursive: true, verbatimSymlinks: true });
    let image: BuiltImage = base
      ? { ...base, root }
      : { root, workingDirectory: '/', environment: {}, user: '0:0', command: [] };
    for (const step of stage.steps) {
      print(`${stage.name}: ${step.instruction} ${step.text}`);
      const there = (path: string): string =>
        join(root, posix.resolve(image.workingDirectory, path));
      if (step.instruction === 'COPY') {
        await copy(step, { context, there, rootOf: (name) => built.get(name)?.root });
      } else if (step.instruction === 'RUN') {
        if (/\s\/(usr|opt)\//.test(step.text)) print('  skipped: it changes only the base image');
        else await run(step.text, there('.'), { ...environment, ...image.environment });
      } else {
        image = configured(image, step);
        if (step.instruction === 'WORKDIR') await mkdir(there('.'), { recursive: true });
      }
    }
    built.set(stage.name, image);
    done.set(key, image);
    if (stage.name === target) return image;
  }
  throw new Error(`The Dockerfile has no stage ${target}`);
}

/** Returns the stages that a target builds on, in order, as a Docker engine does. */
export function neededStages(stages: readonly Stage[], target: string): Stage[] {
  const needed = new Set([target]);
  // A stage refers only to earlier ones.
  for (const { name, from, steps } of stages.toReversed()) {
    if (!needed.has(name)) continue;
    needed.add(from);
    for (const { text } of steps) {
      const source = /^--from=(\S+)/.exec(text)?.[1];
      if (source !== undefined) needed.add(source);
    }
  }
  return stages.filter(({ name }) => needed.has(name));
}

function configured(image: BuiltImage, { instruction, text }: Step): BuiltImage {
  if (instruction === 'WORKDIR') {
    return { ...image, workingDirectory: posix.resolve(image.workingDirectory, text) };
  }
  if (instruction === 'USER') return { ...image, user: text };
  if (instruction === 'CMD' || instruction === 'ENTRYPOINT') {
    return { ...image, command: execForm(text) };
  }
  if (instruction === 'ENV') {
    const added = Object.fromEntries(text.split(' ').map((pair) => pair.split('=')));
    return { ...image, environment: { ...image.environment, ...added } };
  }
  if (instruction === 'LABEL') return image;
  throw new Error(`The instruction ${instruction} is not supported`);
}

async function copy(
  { text }: Step,
  {
    context,
    there,
    rootOf,
  }: {
    context: string;
    there: (path: string) => string;
    rootOf: (stage: string) => string | undefined;
  },
): Promise<void> {
  const parts = text.split(' ');
  const from = parts[0]?.startsWith('--from=') ? parts.shift()?.slice('--from='.length) : undefined;
  const [source = '', target = ''] = parts;
  const path = join(from === undefined ? context : (rootOf(from) ?? ''), source);
  const isFile = /\.\w+$/.test(basename(source));
  await cp(path, isFile ? join(there(target), basename(source)) : there(target), {
    recursive: true,
    verbatimSymlinks: true,
  });
}

async function run(
  command: string,
  cwd: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const child = spawn('sh', ['-c', command], {
    cwd,
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${command} ended with exit code ${code}`);
}
