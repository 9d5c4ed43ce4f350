/**
 * The same jobs in the shape that workerpool wants: a program that registers them. Run by its workers.
 */
import workerpool from 'workerpool'
import { square, squares, turns } from './jobs.mjs'

workerpool.worker({ square, squares, turns })
