import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { moduleFolder } from './binaries.ts';

const exec = promisify(execFile);

/** Folders with the resource definitions of operators, in their Go modules. */
const FOLDERS: Readonly<Record<string, string>> = {
  'github.com/cloudnative-pg/cloudnative-pg@v1.27.0': 'config/crd/bases',
  'github.com/kedacore/keda/v2@v2.21.0': 'config/crd/bases',
  'github.com/prometheus-operator/prometheus-operator@v0.85.0': 'example/prometheus-operator-crd',
  'sigs.k8s.io/gateway-api@v1.4.0': 'config/crd/standard',
};

/** The kinds that the manifests use. Each file of the folders defines one kind. */
const FILES =
  /(clusters|scaledobjects|_triggerauthentications|servicemonitors|prometheusrules|httproutes|gateways)\.yaml$/;

const STRIMZI = '1.2.0';
const STRIMZI_KINDS: Readonly<Record<string, string>> = {
  Kafka: 'kafka.Kafka',
  KafkaNodePool: 'nodepool.KafkaNodePool',
  KafkaUser: 'user.KafkaUser',
};

/** Returns the files with the definitions of the operators' resources, downloading them the first time. */
export async function findResourceDefinitions(work: string): Promise<string[]> {
  const files: string[] = [];
  for (const [module, folder] of Object.entries(FOLDERS)) {
    const path = join(await moduleFolder(module), folder);
    files.push(
      ...readdirSync(path)
        .filter((name) => FILES.test(name))
        .map((name) => join(path, name)),
    );
  }
  return [...files, ...(await generateStrimzi(join(work, `strimzi-${STRIMZI}`)))];
}

/** Generates Strimzi's definitions with Strimzi's own generator, from Maven. It needs Java 21 or newer. */
async function generateStrimzi(directory: string): Promise<string[]> {
  const outputs = Object.keys(STRIMZI_KINDS).map((kind) => join(directory, `${kind}.yaml`));
  if (outputs.every((file) => existsSync(file))) return outputs;
  await mkdir(directory, { recursive: true });
  const dependencies = ['api', 'crd-generator'].map(
    (name) =>
      `<dependency><groupId>io.strimzi</groupId><artifactId>${name}</artifactId><version>${STRIMZI}</version></dependency>`,
  );
  const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>gudang</groupId><artifactId>definitions</artifactId><version>1</version><dependencies>${dependencies.join('')}</dependencies></project>`;
  await writeFile(join(directory, 'pom.xml'), pom);
  const copy = ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'];
  await exec('mvn', copy, { cwd: directory });
  const classes = Object.entries(STRIMZI_KINDS).map(
    ([kind, name]) => `io.strimzi.api.kafka.model.${name}=${join(directory, `${kind}.yaml`)}`,
  );
  const generator = ['-cp', 'lib/*', 'io.strimzi.crdgenerator.CrdGenerator'];
  await exec(await recentJava(), [...generator, '--target-kube', '1.25+', '--yaml', ...classes], {
    cwd: directory,
  });
  return outputs;
}

/** Finds a Java of version 21 or newer: in PATH, or among the installed ones. */
async function recentJava(): Promise<string> {
  const folder = '/usr/lib/jvm';
  const installed = (existsSync(folder) ? readdirSync(folder) : [])
    .map((name) => join(folder, name, 'bin/java'))
    .filter((java) => existsSync(java));
  for (const java of ['java', ...installed]) {
    const version = await exec(java, ['-version']).catch(() => undefined);
    const major = /version "(\d+)/.exec(version?.stderr ?? '')?.[1];
    if (Number(major) >= 21) return java;
  }
  throw new Error("Strimzi's generator needs Java 21 or newer");
}

/** Returns the names of the definitions in a file, such as `kafkas.kafka.strimzi.io`. */
export async function definitionName(file: string): Promise<string> {
  const name = /^ {2}name: (\S+)$/m.exec(await readFile(file, 'utf8'))?.[1];
  if (!name) throw new Error(`${file} defines no resource`);
  return name;
}
