// An OPC UA server of node-opcua for the tests: `node opcua_server.cjs PORT FOLDER [URI-OF-A-CLIENT-CERTIFICATE.der]`.
// It says "listening" and obeys lines of JSON on standard input: {"node","value","status","time"} (time in ms since
// 1970), {"restart": true} shuts the server down and starts it anew on the port, {"say"} is answered in its order.
const { OPCUAServer } = require('node-opcua-server')
const { OPCUACertificateManager } = require('node-opcua-certificate-manager')
const { standardUnits } = require('node-opcua-data-access')
const { MessageSecurityMode, SecurityPolicy } = require('node-opcua-secure-channel')
const { StatusCodes } = require('node-opcua-status-code')
const { Variant, DataType } = require('node-opcua-variant')
const readline = require('node:readline')
const path = require('node:path')

const [port, folder, users] = [Number(process.argv[2]), process.argv[3], process.argv[4]]
const requests = {}

async function start() {
    const manager = new OPCUACertificateManager({ automaticallyAcceptUnknownCertificate: true,
        rootFolder: path.join(folder, 'pki') })
    await manager.initialize()
    const server = new OPCUAServer({
        port, hostname: '127.0.0.1', resourcePath: '/peer', serverCertificateManager: manager,
        userCertificateManager: manager,
        securityModes: [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
        securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256],
        allowAnonymous: users !== 'users',
        userManager: { isValidUser: (name, password) => name === 'gateway' && password === 'right' },
    })
    await server.initialize()
    const space = server.engine.addressSpace
    const own = space.registerNamespace('urn:peer:plant')
    const tank = own.addObject({ organizedBy: space.rootFolder.objects, browseName: 'Tank' })
    const nodes = {}
    nodes.level = own.addAnalogDataItem({ componentOf: tank, browseName: 'Level', nodeId: 's=Tank.Level',
        dataType: 'Double', engineeringUnitsRange: { low: 0, high: 10 },
        engineeringUnits: standardUnits.metre,
        value: { dataType: DataType.Double, value: 4.5 } })
    nodes.pump = own.addVariable({ componentOf: tank, browseName: 'Pump', nodeId: 's=Tank.Pump', dataType: 'Boolean',
        value: { dataType: DataType.Boolean, value: true } })
    nodes.count = own.addVariable({ componentOf: tank, browseName: 'Count', nodeId: 'i=7001', dataType: 'UInt32',
        value: { dataType: DataType.UInt32, value: 12 } })
    nodes.state = own.addVariable({ componentOf: tank, browseName: 'State', nodeId: 's=Tank.State', dataType: 'String',
        value: { dataType: DataType.String, value: 'RUN' } })
    server.on('request', (request) => {
        const name = request.schema.name
        requests[name] = (requests[name] ?? 0) + 1
    })
    await server.start()
    return { server, nodes }
}

async function main() {
    let { server, nodes } = await start()
    console.log('listening')
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const told = JSON.parse(line)
        if (told.restart) {
            await server.shutdown(10)
            ;({ server, nodes } = await start())
            console.log('restarted')
        } else if (told.say) {
            console.log(JSON.stringify({ said: told.say, requests }))
        } else {
            const node = nodes[told.node]
            node.setValueFromSource(new Variant({ dataType: node.readValue().value.dataType, value: told.value }),
                StatusCodes[told.status ?? 'Good'], told.time ? new Date(told.time) : new Date())
        }
    }
    await server.shutdown(10)
    process.exit(0)
}
main()
