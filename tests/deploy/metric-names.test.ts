import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { metricsIn, readAlerts, readExpressions } from './metric-names.ts';

it('metricsIn returns the metrics in an expression', () => {
  const expression =
    'histogram_quantile(0.9, sum by (le, a) (rate(x_bucket{a="b_c"}[5m]))) / max(y) > 1 or up == 0';
  expect(metricsIn(expression)).toEqual(['x_bucket', 'y']);
});

it('each dashboard panel and each alert rule uses a metric', async () => {
  const expressions = await readExpressions();
  expect(expressions.size).toBeGreaterThan(30);
  for (const [name, asked] of expressions) {
    for (const one of asked) {
      if (!one.startsWith('up{')) expect(metricsIn(one), name).not.toEqual([]);
    }
  }
});

it('each alert rule has a severity, a summary and instructions', async () => {
  const rules = (await readAlerts()).groups.flatMap(({ rules }) => rules);
  for (const { alert, labels, annotations } of rules) {
    expect(['page', 'ticket'], alert).toContain(labels.severity);
    expect(annotations.summary.length, alert).toBeGreaterThan(20);
    expect(annotations.runbook.length, alert).toBeGreaterThan(60);
  }
});

it("the Prometheus operator's resource has the same alert rules", async () => {
  const file = new URL('../../k8s/components/service-monitors/rules.yaml', import.meta.url);
  const { spec } = parse(await readFile(file, 'utf8'));
  expect(spec.groups).toEqual((await readAlerts()).groups);
});
