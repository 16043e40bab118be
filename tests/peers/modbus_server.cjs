// A Modbus TCP server of modbus-serial for the tests: `node modbus_server.cjs PORT`. It holds the published examples of
// the Modbus application protocol V1.1b3, 6.1 to 6.4, for unit 17, and refuses other addresses.
const { ServerTCP } = require('modbus-serial')

const words = { 107: 555, 108: 0, 109: 100 }
const bits = (value, start, count) => Array.from({ length: count }, (_, at) => [start + at, Boolean((value >> at) & 1)])
const coils = new Map(bits(0x056bcd, 19, 19))
const discretes = new Map(bits(0x35dbac, 196, 22))

const take = (table, address) => {
    if (!table.has(address)) throw { modbusErrorCode: 2 }
    return table.get(address)
}
const holding = new Map(Object.entries(words).map(([at, word]) => [Number(at), word]))
const server = new ServerTCP({
    getHoldingRegister: (address) => take(holding, address),
    getInputRegister: (address) => take(new Map([[8, 10]]), address),
    getCoil: (address) => take(coils, address),
    getDiscreteInput: (address) => take(discretes, address),
}, { host: '127.0.0.1', port: Number(process.argv[2]), unitID: 17 })
server.on('initialized', () => console.log('listening'))
process.stdin.on('end', () => process.exit(0)).resume()
