import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '@gudang/embedded';
import { startWatchdog } from '@gudang/embedded/testing';
import { eventually } from '@gudang/testing/eventually';

/** Interval between scrapes. It is longer than the 2 s by which a silent database delays a scrape. */
const SCRAPE_INTERVAL = '3s';
/** Time range of rate expressions: three scrape intervals. */
const WINDOW = '9s';

export interface Alert {
  readonly state: 'pending' | 'firing';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Prometheus {
  readonly alerts: () => Promise<readonly Alert[]>;
  /** Returns the number of targets that are up. */
  readonly scraped: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

/**
 * Finds Prometheus. If the environment variable PROMETHEUS is set, as in .ci/run, it names the program.
 * Otherwise, an installed Prometheus is used. Returns undefined if none is found.
 */
export async function findPrometheus(): Promise<string | undefined> {
  const binary = process.env['PROMETHEUS'] ?? 'prometheus';
  const found = await promisify(execFile)(binary, ['--version']).catch(() => undefined);
  return found && binary;
}

/**
 * Starts Prometheus with the alert rules. The rules are unchanged except for their times, so that an alert
 * fires immediately and ranges are seconds instead of minutes.
 * @param targets for example `127.0.0.1:8000`
 */
export async function startPrometheus(
  binary: string,
  targets: readonly string[],
): Promise<Prometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'gudang-prometheus-'));
  const watchdog = startWatchdog(directory);
  const rules = await readFile(
    new URL('../../docker/observe/alerts.yaml', import.meta.url),
    'utf8',
  );
  const hurried = rules.replace(/for: \d+m/g, 'for: 0s').replace(/\[\d+m\]/g, `[${WINDOW}]`);
  await writeFile(join(directory, 'alerts.yaml'), hurried);
  const config = {
    global: {
      scrape_interval: SCRAPE_INTERVAL,
      scrape_timeout: SCRAPE_INTERVAL,
      evaluation_interval: '500ms',
    },
    rule_files: ['alerts.yaml'],
    scrape_configs: [{ job_name: 'gudang', static_configs: [{ targets }] }],
  };
  // JSON is valid YAML.
  await writeFile(join(directory, 'prometheus.json'), JSON.stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    binary,
    [
      `--config.file=${join(directory, 'prometheus.json')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { stdio: 'ignore' },
  );
  const exited = once(child, 'exit');
  await writeFile(join(directory, 'prometheus.pid'), `${child.pid}\n`);
  const ready = async (): Promise<boolean> => (await fetch(`http://${address}/-/ready`)).ok;
  await eventually(ready, (is) => is, { until: 'Prometheus is ready' });
  const ask = async <T>(path: string): Promise<T> => {
    const answer = (await (await fetch(`http://${address}/api/v1/${path}`)).json()) as { data: T };
    return answer.data;
  };
  return {
    alerts: async () => (await ask<{ alerts: Alert[] }>('alerts')).alerts,
    scraped: async () => {
      const { result } = await ask<{ result: unknown[] }>('query?query=up==1');
      return result.length;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      await watchdog.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
