// Send events by splunk-logging, in batches of two, and by winston's transport: `node send.js CLIENT PORT TOKEN`.
const [client, port, token] = process.argv.slice(2);
const url = `http://127.0.0.1:${port}`;
const fail = (error) => { console.error(String(error && error.message ? error.message : error)); process.exit(1); };

if (client === 'splunk-logging') {
  const { Logger } = require('splunk-logging');
  const logger = new Logger({ token, url, maxBatchCount: 2, maxRetries: 0 });
  logger.error = fail;
  const metadata = { source: client, sourcetype: 'httpevent', index: 'main', host: 'farm.local' };
  logger.send({ message: { temperature: '70F' }, severity: 'info', metadata: { ...metadata, time: 1754951077.25 } });
  logger.send({ message: 'two \u2603', metadata: { ...metadata, time: 1754951078 } });
  logger.send({ message: 'three', metadata: { ...metadata, time: 1754951079 } });
  logger.flush((error, response, body) => { if (error || body.code !== 0) fail(error || body.text); });
} else {
  const winston = require('winston');
  const Transport = require('winston-splunk-httplogger');
  const transport = new Transport({ splunk: { token, url, source: client, sourcetype: 'winston', index: 'main' } });
  transport.on('error', fail);
  const logger = winston.createLogger({ transports: [transport] });
  for (const [message, time] of [['one', 1754951077.25], ['two \u2603', 1754951078], ['three', 1754951079]]) {
    logger.info(message, { splunk: { time, host: 'farm.local', source: client, sourcetype: 'winston', index: 'main' } });
  }
  logger.end();
}
