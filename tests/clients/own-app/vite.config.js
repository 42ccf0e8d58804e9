export default { server: { proxy: { '/graphql': { target: 'http://localhost:4000', ws: true } } } };
