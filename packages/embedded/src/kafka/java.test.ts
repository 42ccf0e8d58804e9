import { mkdtempSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findJava, parseJavaVersion } from './java.ts';

describe('parseJavaVersion', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "1.8.0_292"', 8],
    ['openjdk version "21" 2023-09-19', 21],
    ['openjdk version "26-ea" 2026-03-17', 26],
    ['Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "11.0.2" 2019-01-15', 11],
  ])('reads %j as version %i', (output, major) => {
    expect(parseJavaVersion(output)?.major).toBe(major);
  });

  it('returns undefined for output without a version', () => {
    expect(parseJavaVersion('The operation couldn’t be completed.')).toBeUndefined();
  });
});

describe('findJava', () => {
  const home = mkdtempSync(join(tmpdir(), 'gudang-java-'));
  afterAll(() => rm(home, { recursive: true }));

  it('rejects a version that is too old and says what to do', async () => {
    await mkdir(join(home, 'bin'));
    const script = '#!/bin/sh\necho \'java version "1.8.0_292"\' >&2\n';
    writeFileSync(join(home, 'bin/java'), script, { mode: 0o755 });
    await expect(findJava({ JAVA_HOME: home })).rejects.toThrow(
      /17 or newer; found 1\.8\.0_292.*KAFKA_BROKERS/,
    );
  });

  it('names JAVA_HOME if it contains no Java', async () => {
    await expect(findJava({ JAVA_HOME: '/nowhere' })).rejects.toThrow('JAVA_HOME (/nowhere)');
  });

  it('reports that Java was not found', async () => {
    await expect(findJava({ PATH: '/nowhere' })).rejects.toThrow('Java, which was not found');
  });
});
