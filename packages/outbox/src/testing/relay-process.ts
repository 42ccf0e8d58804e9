import { connectTestKafka, createTestService } from '@gudang/kafka/testing';
import { startRelay } from '../relay.ts';

/** A relay in a process of its own, for a test to freeze: says `leading` and goes on. */
const [brokers = '', prefix = '', databaseUrl = '', changeTopic = ''] = process.argv.slice(2);
const service = createTestService({ brokers, prefix });
const kafka = await connectTestKafka(service, [{ topic: changeTopic, partitions: 1 }]);
const relay = startRelay(service, { kafka, databaseUrl, changeTopic });
setInterval(() => {
  if (relay.isLeading()) process.stdout.write('leading\n');
}, 20);
