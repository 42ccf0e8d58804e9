import { mkdtempSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findJava, parseJavaVersion } from './java.ts';

describe('the version of Java', () => {
  test.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "1.8.0_292"', 8],
    ['openjdk version "21" 2023-09-19', 21],
    ['openjdk version "26-ea" 2026-03-17', 26],
    ['Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "11.0.2" 2019-01-15', 11],
  ])('%s', (output, major) => {
    expect(parseJavaVersion(output)?.major).toBe(major);
  });

  test('is unknown when it is not told', () => {
    expect(parseJavaVersion('The operation couldn’t be completed.')).toBeUndefined();
  });
});

describe('looking for Java', () => {
  const home = mkdtempSync(join(tmpdir(), 'gudang-java-'));
  afterAll(() => rm(home, { recursive: true }));

  test('names one that is too old, and what to do', async () => {
    await mkdir(join(home, 'bin'));
    const script = '#!/bin/sh\necho \'java version "1.8.0_292"\' >&2\n';
    writeFileSync(join(home, 'bin/java'), script, { mode: 0o755 });
    await expect(findJava({ JAVA_HOME: home })).rejects.toThrow(
      /17 or newer; found 1\.8\.0_292.*KAFKA_BROKERS/,
    );
  });

  test('names a JAVA_HOME that holds none', async () => {
    await expect(findJava({ JAVA_HOME: '/nowhere' })).rejects.toThrow('JAVA_HOME (/nowhere)');
  });

  test('says when there is none at all', async () => {
    await expect(findJava({ PATH: '/nowhere' })).rejects.toThrow('there is none here');
  });
});
