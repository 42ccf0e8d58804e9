import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCommandLine } from './command-line.ts';
import { gatewaySettings } from './settings.ts';

const read = (args: readonly string[], environment: Record<string, string> = {}) =>
  readCommandLine(args, { table: gatewaySettings, environment, version: '1.2.3' });
const startWith = (environment: Record<string, string>) => ({ kind: 'start', environment });
const SUPERGRAPH = ['--supergraph', 'a.graphql'];
const GIVEN = { SUPERGRAPH: 'a.graphql' };

const names = Object.entries(gatewaySettings).flatMap(([name, setting]) =>
  'secret' in setting ? [] : [name],
);

describe('readCommandLine', () => {
  it('accepts every setting that is no secret as an option, in both forms', () => {
    const options = fc.dictionary(
      fc.constantFrom(...names.filter((name) => name !== 'SUPERGRAPH')),
      fc.string({ minLength: 1 }).filter((text) => text.trim() !== '' && !text.startsWith('--')),
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(options, fc.boolean(), (values, inline) => {
        const args = Object.entries(values).flatMap(([name, value]) => {
          const option = `--${name.toLowerCase().replaceAll('_', '-')}`;
          return inline ? [`${option}=${value}`] : [option, value];
        });
        expect(read([...args, ...SUPERGRAPH])).toEqual(startWith({ ...GIVEN, ...values }));
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('takes the supergraph from the environment, too', () => {
    expect(read(['--port', '0'], GIVEN)).toEqual(startWith({ PORT: '0' }));
  });

  it('reads a flag without a value as true', () => {
    expect(read(['--explore', ...SUPERGRAPH])).toEqual(startWith({ EXPLORE: 'true', ...GIVEN }));
    expect(read(['--pages', 'false', ...SUPERGRAPH])).toEqual(
      startWith({ PAGES: 'false', ...GIVEN }),
    );
  });

  it('passes --check and --settings on to the process', () => {
    expect(read(['--settings'])).toEqual(startWith({}));
    expect(read(['--check', ...SUPERGRAPH])).toEqual(startWith(GIVEN));
  });

  it.each([
    [[], 'No supergraph is given: use --supergraph <file or URL>, or set SUPERGRAPH'],
    [['--check'], 'No supergraph is given'],
    [['supergraph.graphql'], 'Unexpected argument "supergraph.graphql"'],
    [['--suprgraph', 'a.graphql'], 'Unknown option --suprgraph'],
    [['-p', '4000'], 'Unknown option -p'],
    [['--LOG_LEVEL', 'debug'], 'Unknown option --LOG_LEVEL'],
    [['--__proto__', 'x'], 'Unknown option --__proto__'],
    [['--supergraph'], '--supergraph needs a value, for example'],
    [['--port', '--host', 'localhost'], '--port needs a value, for example 4000'],
    [['--port='], '--port needs a value'],
    [['--port', '1', '--port', '2'], '--port is given more than once'],
    [['--jwt-secret', 'hush-hush'], '--jwt-secret: secrets are not accepted as options'],
    [['--supergraph', 'https://a:hush-hush@b/c'], '--supergraph: other users of this machine'],
  ])('rejects %j', (args, problem) => {
    expect(read(args)).toMatchObject({ kind: 'print', code: 1 });
    const { text } = read(args) as { text: string };
    expect(text).toContain(problem);
    expect(text).not.toContain('hush-hush');
    expect(text).toMatch(/--help lists the options\.\n$/);
  });

  it('reports all problems together', () => {
    const { text } = read(['--nope', '1', 'x', '--port']) as { text: string };
    expect(text.trim().split('\n')).toHaveLength(4);
  });

  it('lists every setting in its help, and names secrets as variables', () => {
    const { text, code } = read(['--help']) as { text: string; code: number };
    expect(code).toBe(0);
    for (const name of names)
      expect(text).toContain(`--${name.toLowerCase().replaceAll('_', '-')}`);
    expect(text).toMatch(/from the environment only: .*JWT_SECRET/s);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('prints the version', () => {
    expect(read(['--version'])).toEqual({ kind: 'print', text: '1.2.3\n', code: 0 });
  });
});
