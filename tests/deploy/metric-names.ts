import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

const observe = new URL('../../docker/observe/', import.meta.url);

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

/** Reads the alert rules for Prometheus. */
export async function readAlerts(): Promise<{ groups: { rules: Rule[] }[] }> {
  return parse(await readFile(new URL('alerts.yaml', observe), 'utf8'));
}

/** Reads the expressions of the dashboard and of the alert rules, by the name of the panel or rule. */
export async function readExpressions(): Promise<Map<string, string[]>> {
  const asked = new Map<string, string[]>();
  for (const { rules } of (await readAlerts()).groups) {
    for (const { alert, expr } of rules) asked.set(alert, [expr]);
  }
  const dashboard = new URL('grafana/dashboards/gudang.json', observe);
  const { panels } = JSON.parse(await readFile(dashboard, 'utf8'));
  for (const { title, targets } of panels as { title: string; targets: { expr: string }[] }[]) {
    asked.set(
      title,
      targets.map(({ expr }) => expr),
    );
  }
  return asked;
}

/** Metrics that Prometheus itself provides. */
const OF_PROMETHEUS = new Set(['up']);
const WORDS = new Set(['or', 'and', 'unless', 'bool', 'group_left', 'group_right', 'offset']);

/**
 * Returns the metrics in an expression. Supports only the syntax that the dashboard and the rules use.
 */
export function metricsIn(expression: string): string[] {
  const bare = expression
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, '');
  const names = bare.match(/[a-zA-Z_:][\w:]*(?!\w*\s*\()/g) ?? [];
  return names.filter((name) => !WORDS.has(name) && !OF_PROMETHEUS.has(name));
}
