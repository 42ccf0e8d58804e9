import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { testTopicPrefix } from '@gudang/embedded/testing';
import { expect, inject, it } from 'vitest';
import { connectTestKafka, createTestService } from '../testing/test-service.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../testing/idle-consumer.ts', import.meta.url));

it('patchRequestQueue at least halves the CPU time of an idle consumer', async () => {
  const service = createTestService({ brokers: inject('kafkaBrokers'), prefix: testTopicPrefix() });
  const kafka = await connectTestKafka(service, [{ topic: 'idle', partitions: 1 }]);
  const cpuOf = async (mode: string): Promise<number> => {
    const words = ['--conditions=source', '--import=tsx', program];
    const { stdout } = await run(process.execPath, [
      ...words,
      inject('kafkaBrokers'),
      kafka.name('idle'),
      mode,
    ]);
    return Number(stdout);
  };
  const [bare = 0, patched = 0] = await Promise.all([cpuOf('bare'), cpuOf('patched')]);
  await kafka.stop();
  expect(bare).toBeGreaterThan(0);
  expect(patched, `${bare} ms of CPU in 3 s without, ${patched} ms with`).toBeLessThan(bare / 2);
});
