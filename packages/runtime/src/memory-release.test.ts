import { describe, expect, it } from 'vitest';
import { ReleaseDecision } from './memory-release.ts';

const MIB = 1024 * 1024;

/** Looks every 10 s at a process. @returns a function that takes its CPU time since the last look, and its memory */
function watched(rss: number) {
  let at = 0;
  let cpu = 0;
  const decision = new ReleaseDecision({ at, cpu, rss: rss * MIB, heap: 20 * MIB });
  const look = (spent: number, mib: number, heap = 20): boolean => {
    at += 10_000;
    cpu += spent;
    return decision.isDue({ at, cpu, rss: mib * MIB, heap: heap * MIB });
  };
  return { look, released: (mib: number) => decision.released(mib * MIB) };
}

describe('ReleaseDecision', () => {
  it('releases memory after 20 s without load, if the process has grown', () => {
    const { look } = watched(80);
    expect([look(9_000, 200), look(100, 200), look(100, 200)]).toEqual([false, false, true]);
  });

  it('does not release memory under load', () => {
    const { look } = watched(80);
    expect(Array.from({ length: 10 }, () => look(600, 200))).not.toContain(true);
  });

  it('starts again when there is load between', () => {
    const { look } = watched(80);
    expect([look(0, 200), look(600, 200), look(0, 200), look(0, 200)]).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  it('releases memory once after the start', () => {
    const { look } = watched(80);
    expect([look(0, 80), look(0, 80)]).toEqual([false, true]);
  });

  it('does not release memory of a process that has not grown', () => {
    const { look, released } = watched(80);
    released(80);
    expect([look(0, 80), look(0, 83), look(0, 84)]).toEqual([false, false, false]);
  });

  it('does not repeat a release that has not helped', () => {
    const { look, released } = watched(80);
    look(0, 200);
    expect(look(0, 200)).toBe(true);
    released(195);
    expect([look(0, 200), look(0, 200), look(0, 200)]).toEqual([false, false, false]);
    expect(look(0, 210)).toBe(true);
  });

  it('does not block a process with a large heap', () => {
    const { look } = watched(80);
    expect([look(0, 400, 200), look(0, 400, 200)]).toEqual([false, false]);
  });
});
