export {
  type Compression,
  ForeignCommands,
  type ForeignProducer,
  type ForeignRecord,
  startForeignProducer,
} from './foreign-producer.ts';
export { recordsOf } from './records-of.ts';
export { type LostTail, loseTail } from './segment.ts';
export { connectTestKafka, createTestService, type TestService } from './test-service.ts';
