/**
 * Sends the tenant of a client to all subgraphs as the header x-tenant, for queries, mutations and live
 * streams. A browser names the tenant in connection_init. TENANTS lists the known tenants.
 */
const tenants = new Set((process.env.TENANTS ?? '').split(',').filter((name) => name !== ''));

/** @type {import('@gudang/gateway/plugin').GatewayPlugin} */
const tenantHeader = {
  name: 'tenant-header',

  forwardHeaders({ client, headers }) {
    const tenant = client.headers['x-tenant'] ?? client.params?.tenant;
    if (typeof tenant !== 'string' || !tenants.has(tenant)) {
      const extensions = { code: 'FORBIDDEN', http: { status: 403 } };
      throw Object.assign(new Error('The header x-tenant must name a tenant'), { extensions });
    }
    headers.set('x-tenant', tenant);
  },
};

export default tenantHeader;
