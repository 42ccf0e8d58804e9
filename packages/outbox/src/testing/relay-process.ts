import { connectTestKafka, createTestService } from '@gudang/kafka/testing';
import { startRelay } from '../relay.ts';

/** Program: runs a relay and prints `leading` while it leads. A test can freeze it. */
const [brokers = '', prefix = '', databaseUrl = '', changeTopic = ''] = process.argv.slice(2);
const service = createTestService({ brokers, prefix });
const kafka = await connectTestKafka(service, [{ topic: changeTopic, partitions: 1 }]);
const relay = startRelay(service, { kafka, databaseUrl, changeTopic });
setInterval(() => {
  if (relay.isLeading()) process.stdout.write('leading\n');
}, 20);
