import { connectTestKafka, createTestService } from '@gudang/kafka/testing';
import { startRelay } from '../relay.ts';

/**
 * This program runs a relay and prints `leading` while the relay leads. A test runs it as a
 * separate process, to freeze that process.
 */
const [brokers = '', prefix = '', databaseUrl = '', changeTopic = ''] = process.argv.slice(2);
const service = createTestService({ brokers, prefix });
const kafka = await connectTestKafka(service, [{ topic: changeTopic, partitions: 1 }]);
const relay = startRelay(service, { kafka, databaseUrl, changeTopic });
setInterval(() => {
  if (relay.isLeading()) process.stdout.write('leading\n');
}, 20);
