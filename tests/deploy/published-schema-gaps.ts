/**
 * Values that the API server accepts for fields that the published schema types as plain strings. The
 * server checks them in code, so a file with another value matches the schema and cannot be applied.
 * Keys: definitions by their short name, then fields.
 */
const VALUES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'apps.v1.DeploymentStrategy': { type: ['Recreate', 'RollingUpdate'] },
  'apps.v1.StatefulSetUpdateStrategy': { type: ['OnDelete', 'RollingUpdate'] },
  'apps.v1.StatefulSetSpec': { podManagementPolicy: ['OrderedReady', 'Parallel'] },
  'autoscaling.v2.MetricTarget': { type: ['AverageValue', 'Utilization', 'Value'] },
  'autoscaling.v2.MetricSpec': {
    type: ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'],
  },
  'autoscaling.v2.HPAScalingPolicy': { type: ['Percent', 'Pods'] },
  'autoscaling.v2.HPAScalingRules': { selectPolicy: ['Disabled', 'Max', 'Min'] },
  'batch.v1.JobSpec': { completionMode: ['Indexed', 'NonIndexed'] },
  'core.v1.Container': {
    imagePullPolicy: ['Always', 'IfNotPresent', 'Never'],
    terminationMessagePolicy: ['FallbackToLogsOnError', 'File'],
  },
  'core.v1.ContainerPort': { protocol: ['SCTP', 'TCP', 'UDP'] },
  'core.v1.HTTPGetAction': { scheme: ['HTTP', 'HTTPS'] },
  'core.v1.PersistentVolumeClaimSpec': {
    accessModes: ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'],
    volumeMode: ['Block', 'Filesystem'],
  },
  'core.v1.PodSecurityContext': { fsGroupChangePolicy: ['Always', 'OnRootMismatch'] },
  'core.v1.PodSpec': {
    dnsPolicy: ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'],
    preemptionPolicy: ['Never', 'PreemptLowerPriority'],
    restartPolicy: ['Always', 'Never', 'OnFailure'],
  },
  'core.v1.SeccompProfile': { type: ['Localhost', 'RuntimeDefault', 'Unconfined'] },
  'core.v1.ServicePort': { protocol: ['SCTP', 'TCP', 'UDP'] },
  'core.v1.ServiceSpec': {
    externalTrafficPolicy: ['Cluster', 'Local'],
    internalTrafficPolicy: ['Cluster', 'Local'],
    ipFamilyPolicy: ['PreferDualStack', 'RequireDualStack', 'SingleStack'],
    sessionAffinity: ['ClientIP', 'None'],
    type: ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'],
  },
  'core.v1.Toleration': {
    effect: ['NoExecute', 'NoSchedule', 'PreferNoSchedule'],
    operator: ['Equal', 'Exists'],
  },
  'core.v1.TopologySpreadConstraint': {
    nodeAffinityPolicy: ['Honor', 'Ignore'],
    nodeTaintsPolicy: ['Honor', 'Ignore'],
    whenUnsatisfiable: ['DoNotSchedule', 'ScheduleAnyway'],
  },
  'networking.v1.HTTPIngressPath': { pathType: ['Exact', 'ImplementationSpecific', 'Prefix'] },
  'networking.v1.NetworkPolicyPort': { protocol: ['SCTP', 'TCP', 'UDP'] },
  'networking.v1.NetworkPolicySpec': { policyTypes: ['Egress', 'Ingress'] },
  'policy.v1.PodDisruptionBudgetSpec': {
    unhealthyPodEvictionPolicy: ['AlwaysAllow', 'IfHealthyBudget'],
  },
  'meta.v1.LabelSelectorRequirement': { operator: ['DoesNotExist', 'Exists', 'In', 'NotIn'] },
};

/** A name in DNS, such as that of a namespace. */
const LABEL = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';

/** Further constraints that the server checks in code: schemas that apply in addition, by definition. */
const CONSTRAINTS: Readonly<Record<string, object>> = {
  // A target has exactly the value of its type.
  'autoscaling.v2.MetricTarget': {
    oneOf: [
      { properties: { type: { const: 'Utilization' } }, required: ['averageUtilization'] },
      { properties: { type: { const: 'AverageValue' } }, required: ['averageValue'] },
      { properties: { type: { const: 'Value' } }, required: ['value'] },
    ],
    maxProperties: 2,
  },
  'autoscaling.v2.MetricSpec': {
    oneOf: ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'].map((type) => ({
      properties: { type: { const: type } },
      required: [type[0]?.toLowerCase() + type.slice(1)],
    })),
    maxProperties: 2,
  },
  'autoscaling.v2.HorizontalPodAutoscalerSpec': {
    properties: { minReplicas: { minimum: 1 }, maxReplicas: { minimum: 1 } },
  },
  'autoscaling.v2.HPAScalingRules': {
    properties: { stabilizationWindowSeconds: { minimum: 0, maximum: 3_600 } },
  },
  'autoscaling.v2.HPAScalingPolicy': {
    properties: { value: { minimum: 1 }, periodSeconds: { minimum: 1, maximum: 1_800 } },
  },
  'core.v1.Container': { properties: { name: { pattern: LABEL } }, required: ['image'] },
  'core.v1.ContainerPort': {
    properties: {
      containerPort: { minimum: 1, maximum: 65_535 },
      name: { pattern: '^(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$' },
    },
  },
  'core.v1.ServicePort': { properties: { port: { minimum: 1, maximum: 65_535 } } },
  // One handler, and no negative times.
  'core.v1.Probe': {
    properties: Object.fromEntries(
      ['failureThreshold', 'periodSeconds', 'successThreshold', 'timeoutSeconds'].map((name) => [
        name,
        { minimum: 1 },
      ]),
    ),
    oneOf: ['exec', 'grpc', 'httpGet', 'tcpSocket'].map((handler) => ({ required: [handler] })),
  },
  'core.v1.EnvVar': { not: { required: ['value', 'valueFrom'] } },
  'networking.v1.NetworkPolicyPeer': {
    minProperties: 1,
    not: {
      required: ['ipBlock'],
      anyOf: [{ required: ['podSelector'] }, { required: ['namespaceSelector'] }],
    },
  },
  'policy.v1.PodDisruptionBudgetSpec': { not: { required: ['maxUnavailable', 'minAvailable'] } },
};

const PREFIXES = ['io.k8s.api.', 'io.k8s.apimachinery.pkg.apis.'];

type Definitions = Readonly<Record<string, object>>;

/**
 * Returns the published definitions with what they lack.
 * @throws if a definition or a field of this file is not in `definitions`
 */
export function withoutGaps(definitions: Definitions): Definitions {
  const completed: Record<string, object> = { ...definitions };
  const add = (name: string, constraint: object): void => {
    const full = PREFIXES.map((prefix) => `${prefix}${name}`).find((one) => one in completed);
    if (!full) throw new Error(`There is no definition ${name}: correct published-schema-gaps.ts`);
    completed[full] = { allOf: [completed[full], constraint] };
  };
  for (const [name, fields] of Object.entries(VALUES)) {
    for (const field of Object.keys(fields)) assertField(definitions, name, field);
    const properties = Object.entries(fields).map(([field, values]) => [field, oneOrAllOf(values)]);
    add(name, { properties: Object.fromEntries(properties) });
  }
  for (const [name, constraint] of Object.entries(CONSTRAINTS)) add(name, constraint);
  return completed;
}

function assertField(definitions: Definitions, name: string, field: string): void {
  const definition = PREFIXES.map((prefix) => definitions[`${prefix}${name}`]).find(Boolean) as
    | { properties: object }
    | undefined;
  if (definition && field in definition.properties) return;
  throw new Error(`${name} has no field ${field}: correct published-schema-gaps.ts`);
}

/** Allows the values: in a list, or alone. */
function oneOrAllOf(values: readonly string[]): object {
  return { anyOf: [{ enum: values }, { type: 'array', items: { enum: values } }] };
}
