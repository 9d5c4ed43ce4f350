/** What it is sent over Node's own channel it sends back: the child that bench/queue.ts forks. */
process.on('message', (message) => process.send(message))
