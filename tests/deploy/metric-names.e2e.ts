import { useSystem } from '@gudang/testing/system/use-system';
import { expect, it } from 'vitest';
import { metricsIn, readExpressions } from './metric-names.ts';

const system = useSystem();

/** Returns the names of the samples in a `/metrics` response. */
async function samplesOf(url: string): Promise<string[]> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => /^# TYPE /.test(line))
    .flatMap((line) => {
      const [, , name = '', type] = line.split(' ');
      return type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name];
    });
}

it('the dashboard and the alert rules use only existing metrics', async () => {
  const { gateway, order, stock } = system();
  const existing = new Set(
    (await Promise.all([gateway, order, stock].map(({ url }) => samplesOf(url)))).flat(),
  );
  const unknown = [...(await readExpressions())].flatMap(([name, expressions]) =>
    expressions
      .flatMap(metricsIn)
      .filter((metric) => !existing.has(metric))
      .map((metric) => `${name}: ${metric}`),
  );
  expect(unknown).toEqual([]);
  const ownMetrics = [...existing].filter((name) => /^(?:gudang|gateway)_/.test(name));
  expect(ownMetrics.length).toBeGreaterThan(20);
});

it('no metric of a running system is NaN', async () => {
  for (const { url } of [system().gateway, system().order, system().stock]) {
    const body = await (await fetch(`${url}/metrics`)).text();
    expect(body.split('\n').filter((line) => / nan$/i.test(line))).toEqual([]);
  }
});
