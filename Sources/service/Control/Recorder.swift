// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import Logging
internal import ServiceLifecycle
internal import Telemetry

/// Makes the observations that a configuration asks for, and ends them in good order behind the drain.
struct Recorder: Service {
    /// The store's file in the state folder.
    static let file = "flows.db"

    let observations: Observations

    /// Opens the store and the logs. A store that cannot be opened is said and done without: traffic and policy do not depend on it.
    init(_ configuration: Configuration, log noted: Logger) {
        let records = configuration.records
        var logs: [any FlowLog] = []
        if let file = records.file { logs.append(FlowFile(path: file, limit: records.fileBytes, kept: records.filesKept)) }
        if records.toSystemLog { logs.append(SystemLog()) }
        for log in logs { if let fault = log.fault { noted.error("\(fault)") } }
        observations = Observations(store: Self.store(configuration, noted), logs: logs)
    }

    private static func store(_ configuration: Configuration, _ log: Logger) -> FlowStore? {
        guard configuration.records.isStored else { return nil }
        var limits = FlowStore.Limits()
        (limits.events, limits.age) = (configuration.records.events, Int64(configuration.records.age))
        do {
            try FileManager.default.createDirectory(
                atPath: configuration.state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let store = try FlowStore(file: "\(configuration.state)/\(file)", limits: limits)
            if let damage = store.damage { log.error("\(damage)") }
            return store
        } catch {
            log.error("flows are not stored: \(error); `state` in the configuration names the folder")
            return nil
        }
    }

    /// Waits for the end, which comes behind that of the drain, and keeps what is still under way.
    func run() async throws {
        try? await gracefulShutdown()
        let observations = observations
        try? await offload { observations.close() }
    }
}
