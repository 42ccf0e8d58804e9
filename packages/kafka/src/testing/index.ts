export { recordsOf } from './records-of.ts';
export { connectTestKafka, createTestService, type TestService } from './test-service.ts';
