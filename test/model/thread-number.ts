/** Which of the model's threads this is. Read by os.ts and thread.ts. */
import { workerData } from 'node:worker_threads'

export function threadNumber(): number {
  return (workerData as { thread: number }).thread
}
