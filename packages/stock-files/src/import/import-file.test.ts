import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CommandError, type ImportCommand } from '../cli.ts';
import { createGraphClient } from '../graph-client.ts';
import { type Behavior, type ModelGateway, startModelGateway } from '../testing/model-gateway.ts';
import { importFile } from './import-file.ts';
import { stateFileOf } from './run.ts';

let folder: string;
let gateway: ModelGateway | undefined;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stock-files-'));
});
afterEach(() => gateway?.close());
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(lines: readonly string[], name = 'stocks.csv'): Promise<string> {
  files += 1;
  const path = join(folder, `${files}-${name}`);
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

const commandOf = (file: string, options: Partial<ImportCommand> = {}): ImportCommand => ({
  verb: 'import',
  file,
  mode: 'create',
  format: 'csv',
  batch: 2,
  newRun: false,
  run: undefined,
  ...options,
});

const printed: string[] = [];
const progress = { print: (line: string) => void printed.push(line), update: () => {} };
function run(
  command: ImportCommand,
  {
    token,
    keptDays = 30,
    giveUpMs = 0,
  }: { token?: string; keptDays?: number; giveUpMs?: number } = {},
) {
  const client = createGraphClient({ url: gateway?.url ?? '', token, giveUpMs });
  return importFile(command, { client, progress, keptDays });
}
const tokenOf = (sub: string) =>
  `x.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.x`;
/** Behaves as listed, and then answers. */
const behaving =
  (...behaviors: Behavior[]) =>
  () =>
    behaviors.shift() ?? 'answer';
const DOWN: Behavior[] = ['close'];

describe('importFile', () => {
  it('applies the rows in order and lists refused rows for correction', async () => {
    gateway = await startModelGateway();
    const file = await fileOf([
      'id,name,quantity,note',
      'a,A,1,x',
      'b,B,many,',
      'a,"A, again",3,y',
      'c,C,4,',
    ]);
    expect(await run(commandOf(file))).toMatchObject({ applied: 2, refused: 2 });
    expect([...gateway.stocks]).toEqual([
      ['a', { name: 'A', quantity: 1 }],
      ['c', { name: 'C', quantity: 4 }],
    ]);
    expect(await readFile(`${file}.refused.csv`, 'utf8')).toBe(
      [
        'id,name,quantity,note,row,code,message',
        'b,B,many,,2,UNREADABLE,"quantity ""many"" is not a whole number from -2147483648 to 2147483647"',
        'a,"A, again",3,y,3,ALREADY_EXISTS,ALREADY_EXISTS.',
        '',
      ].join('\n'),
    );
    expect(printed).toContain('Ignored columns: note');
  });

  it('applies a batch once whose answer is lost', async () => {
    gateway = await startModelGateway(behaving('lose', 'overloaded', 'lose'));
    const file = await fileOf(['{"id":"a","delta":1}', '{"id":"a","delta":2}'], 'a.ndjson');
    await run(commandOf(file, { mode: 'adjust', format: 'ndjson' }), { giveUpMs: 30_000 });
    expect(gateway.applied()).toBe(1);
  });

  it('sends the token', async () => {
    gateway = await startModelGateway();
    await run(commandOf(await fileOf(['name,quantity', 'A,1'])), { token: tokenOf('siti') });
    expect(gateway.headers()).toMatchObject({ authorization: `Bearer ${tokenOf('siti')}` });
  });

  it('imports the same file again only with --new-run, and a changed file in a new run', async () => {
    gateway = await startModelGateway();
    const file = await fileOf(['id,name,quantity', 'a,A,1']);
    const first = await run(commandOf(file));
    expect(await run(commandOf(file))).toEqual(first);
    expect(gateway.applied()).toBe(1);
    expect(await run(commandOf(file, { newRun: true }))).toMatchObject({ refused: 1 });
    await writeFile(file, 'id,name,quantity\nb,B,1\n');
    expect((await run(commandOf(file))).run).not.toBe(first.run);
    expect(gateway.applied()).toBe(3);
  });

  it('reads the whole file before it sends the first row', async () => {
    gateway = await startModelGateway();
    const file = await fileOf(['id,name,quantity', 'a,A,1', 'b,"B,1']);
    await expect(run(commandOf(file))).rejects.toThrow('is not CSV');
    const noQuantity = await fileOf(['id,name', 'a,A']);
    await expect(run(commandOf(noQuantity))).rejects.toThrow('quantity is missing');
    expect(gateway.applied()).toBe(0);
  });
});

describe('a run that was interrupted', () => {
  const LINES = ['id,name,quantity', 'a,A,1', 'b,B,2', 'c,C,3'];

  /** Imports the first batch; then the gateway is unavailable. */
  async function interrupt(mode: ImportCommand['mode'], token?: string): Promise<string> {
    gateway = await startModelGateway(behaving('answer', ...DOWN));
    const lines = mode === 'adjust' ? ['id,delta', 'a,1', 'b,2', 'c,3'] : LINES;
    const file = await fileOf(lines);
    const stopped = run(commandOf(file, { mode }), { ...(token && { token }) });
    await expect(stopped).rejects.toThrow(/is unavailable: .*\nThe same command resumes run 2/s);
    await gateway.close();
    const { url } = gateway;
    gateway = await startModelGateway();
    // The gateway is the same one for the run, although it has another port.
    const state = await readFile(stateFileOf(file), 'utf8');
    await writeFile(stateFileOf(file), state.replace(url, gateway.url));
    return file;
  }

  it.each<[string, Partial<ImportCommand>, string | undefined, string]>([
    ['another mode', { mode: 'set' }, undefined, 'has the mode create'],
    ['other batches', { batch: 3 }, undefined, 'has batches of 2'],
    ['another subject', {}, tokenOf('rita'), 'has the subject null'],
  ])('is not resumed with %s', async (_name, options, token, message) => {
    const file = await interrupt('create');
    await expect(run(commandOf(file, options), { ...(token && { token }) })).rejects.toThrow(
      message,
    );
    expect(gateway?.applied()).toBe(0);
  });

  it('is not resumed with a changed file', async () => {
    const file = await interrupt('create');
    await writeFile(file, `${LINES.join('\n')}\nd,D,4\n`);
    await expect(run(commandOf(file))).rejects.toThrow('the file was changed');
  });

  it('is resumed without the rows that are done', async () => {
    const file = await interrupt('create');
    await run(commandOf(file, { batch: undefined }));
    expect([...(gateway?.stocks.keys() ?? [])]).toEqual(['c']);
  });

  it('is resumed after its keys are purged only if no row can count twice', async () => {
    const adjust = await interrupt('adjust');
    await expect(run(commandOf(adjust, { mode: 'adjust' }), { keptDays: 0 })).rejects.toThrow(
      'began more than 0 days ago',
    );
    const create = await interrupt('create');
    await run(commandOf(create), { keptDays: 0 });
    expect([...(gateway?.stocks.keys() ?? [])]).toEqual(['c']);
  });

  it('is resumed by its id if the state file is lost', async () => {
    const answers: Behavior[] = ['lose', ...DOWN];
    gateway = await startModelGateway(() => answers.shift() ?? 'answer');
    const file = await fileOf(['id,name,quantity', 'a,A,1']);
    await expect(run(commandOf(file))).rejects.toThrow(CommandError);
    const { id } = JSON.parse(await readFile(stateFileOf(file), 'utf8'));
    await rm(stateFileOf(file));
    answers.length = 0;
    expect(await run(commandOf(file, { run: id }))).toMatchObject({ applied: 1, refused: 0 });
    expect(gateway.applied()).toBe(1);
  });

  it('reaches the state and the report of an undisturbed import after any failure', async () => {
    const behavior = fc.constantFrom<Behavior>('answer', 'lose', 'close', 'overloaded');
    const row = fc.tuple(fc.constantFrom('a', 'b', 'x'), fc.integer({ min: -3, max: 5 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 12 }),
        fc.array(fc.array(behavior, { maxLength: 6 }), { maxLength: 4 }),
        async (rows, attempts) => {
          const lines = rows.map(([id, delta]) => `${id},${delta}`);
          const outcomes: unknown[] = [];
          for (const disturbances of [[], attempts]) {
            let behaviors: Behavior[] = [];
            gateway = await startModelGateway(() => behaviors.shift() ?? 'answer');
            const created = await fileOf(['id,name,quantity', 'a,A,1', 'b,B,1']);
            await run(commandOf(created));
            const file = await fileOf(['id,delta', ...lines]);
            const command = commandOf(file, { mode: 'adjust' });
            for (const disturbance of disturbances) {
              behaviors = [...disturbance, ...DOWN];
              await run(command).catch(() => {});
            }
            behaviors = [];
            const { applied, refused } = await run(command);
            const report = await readFile(`${file}.refused.csv`, 'utf8').catch(() => '');
            outcomes.push({ stocks: [...gateway.stocks], applied, refused, report });
            await gateway.close();
          }
          expect(outcomes[1]).toEqual(outcomes[0]);
        },
      ),
      { numRuns: 15, seed: 18 },
    );
  }, 60_000);
});
