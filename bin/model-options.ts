import { Option } from 'commander';
import { gpuNames } from '../reference-server/backends/gguf-protocol.ts';

/** What every command that starts a reference server lets its user say of the model, made anew for each. */
export function modelOptions(): readonly Option[] {
  return [
    new Option('--gguf <file>', 'GGUF model for the reference server (default: the shipped one)').conflicts('url'),
    new Option('--gpu <name>', 'what the reference server computes on (default: auto)')
      .choices(gpuNames)
      .conflicts('url'),
  ];
}
