export { limitError, limitErrors, limitErrorsPlugin, MAX_ERRORS, shorten } from './error-limits.ts';
export { presentAllErrors, presentError } from './present-error.ts';
export { type Traced, traceOperations } from './trace-operations.ts';
export { validateSafely } from './validate-safely.ts';
