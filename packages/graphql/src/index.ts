export { presentError } from './present-error.ts';
export { type Traced, traceOperations } from './trace-operations.ts';
export { validateSafely } from './validate-safely.ts';
