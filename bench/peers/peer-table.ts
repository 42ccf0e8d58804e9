import { median } from '../suite/figure.ts';

export interface Measurement {
  readonly name: string;
  /** NaN if it cannot be measured. */
  readonly value: number;
  readonly digits: number;
}

/** Measurements of the rounds, by workload, name and gateway, in the order in which they were noted. */
export class PeerTable {
  readonly #rows = new Map<string, Map<string, { digits: number; peers: Map<string, number[]> }>>();

  note(workload: string, peer: string, measurements: readonly Measurement[]): void {
    const rows = this.#rows.get(workload) ?? new Map();
    this.#rows.set(workload, rows);
    for (const { name, value, digits } of measurements) {
      const row = rows.get(name) ?? { digits, peers: new Map<string, number[]>() };
      rows.set(name, row);
      row.peers.set(peer, [...(row.peers.get(peer) ?? []), value]);
    }
  }

  /** Renders medians with the lowest and highest value, in Markdown. Without a value: `–`. */
  render(peers: readonly string[]): string {
    const lines = [`| | ${peers.join(' | ')} |`, `| --- |${' ---: |'.repeat(peers.length)}`];
    for (const [workload, rows] of this.#rows) {
      lines.push(`| **${workload}** |${' |'.repeat(peers.length)}`);
      for (const [name, { digits, peers: values }] of rows) {
        const cells = peers.map((peer) => cellOf(values.get(peer) ?? [], digits));
        lines.push(`| ${name} | ${cells.join(' | ')} |`);
      }
    }
    return `${lines.join('\n')}\n`;
  }
}

function cellOf(values: readonly number[], digits: number): string {
  const measured = values.filter((value) => Number.isFinite(value));
  if (measured.length === 0) return '–';
  const [middle, least, most] = [median(measured), Math.min(...measured), Math.max(...measured)];
  const text = middle.toFixed(digits);
  return least === most ? text : `${text} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}
