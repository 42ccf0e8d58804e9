export { type GenericPlan, genericPlans } from './generic-plans.ts';
export { createSqlClient } from './sql-client.ts';
