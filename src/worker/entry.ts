/**
 * The first file of every child process. Its parent's WorkerHandle names it on the command line and keeps the
 * other end of descriptor 3. Loads as little as it can: a worker's start is the sum of its files.
 */
import { Socket } from 'node:net'
import { begin } from './body.ts'

begin(new Socket({ fd: 3 }))
