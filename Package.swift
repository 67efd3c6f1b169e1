// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

/// One set of promises for every room: Swift 6 mode, strict memory safety, no warning left standing.
let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

/// A room is a target in the folder of its floor. `scripts/check` holds the list of edges that are allowed.
func room(
    _ name: String, on floor: String, _ rooms: [String] = [], packages: [Target.Dependency] = [],
    plugins: [Target.PluginUsage] = []
) -> Target {
    .target(
        name: name, dependencies: rooms.map { .init(stringLiteral: $0) } + packages,
        path: "Sources/\(floor)/\(name)", swiftSettings: settings, plugins: plugins)
}

/// A room's tests, in the folder named after it.
func tests(
    _ name: String, _ rooms: [String], packages: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: (rooms + ["TestSupport"]).map { .init(stringLiteral: $0) } + packages,
        path: "Tests/\(name)Tests", exclude: exclude, swiftSettings: settings)
}

let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let client = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let http1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let ssl = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let httpParts = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "bulkhead",
    products: [.executable(name: "bulkhead", targets: ["bulkhead"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.1"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The bytes floor: from the ring to the verdict. No Foundation.
        .target(
            name: "CXDP", path: "Sources/bytes/CXDP",
            linkerSettings: [.linkedLibrary("bpf"), .linkedLibrary("numa")]),
        .target(name: "CPrefetch", path: "Sources/bytes/CPrefetch"),
        room("Net", on: "bytes", ["CPrefetch"]),
        room("Record", on: "bytes", ["Net"]),
        room("Ring", on: "bytes", ["CXDP", "Net"]),
        room("Link", on: "bytes", ["CXDP", "Ring", "Net"], plugins: ["CompileBPF"]),
        room("Wire", on: "bytes", ["Net"]),
        room("Flow", on: "bytes", ["Net"]),
        room("Classifier", on: "bytes", ["Net"]),
        room("Sandbox", on: "bytes", ["CXDP"]),
        room("Layout", on: "bytes", ["CXDP", "Ring", "Flow", "Classifier", "Record", "Net"]),
        room("Datapath", on: "bytes", ["Ring", "Wire", "Flow", "Classifier", "Record", "Net"]),
        room(
            "Engine", on: "bytes",
            ["CXDP", "Sandbox", "Layout", "Datapath", "Ring", "Wire", "Flow", "Classifier", "Record", "Net"]),

        // The policy floor: documents in, an image out. No clock, no sockets.
        room("Policy", on: "policy", ["Net"]),
        room("PolicyText", on: "policy", ["Policy", "Net"], packages: [yams]),
        room("Dialects", on: "policy", ["PolicyText", "Policy", "Net"]),
        room("Compiler", on: "policy", ["Policy", "Classifier", "Record", "Net"]),
        room("Analysis", on: "policy", ["Compiler", "Policy", "Classifier", "Record", "Net"]),

        // The service floor: what operators meet.
        room("State", on: "service", ["Policy", "Net"], packages: [grdb, crypto]),
        room("Telemetry", on: "service", ["Record", "Net"], packages: [grdb]),
        room(
            "API", on: "service",
            ["Analysis", "Compiler", "Policy", "PolicyText", "Dialects", "State", "Telemetry", "Record", "Net"],
            packages: [hummingbird, hummingbirdCore, nio, ssl, httpTypes, httpParts, x509, asn1, logging, lifecycle]),
        room(
            "Control", on: "service",
            [
                "API", "Analysis", "Compiler", "Policy", "PolicyText", "Dialects", "State", "Telemetry", "Classifier", "Flow",
                "Record", "Net", "Layout", "Sandbox",
            ],
            packages: [hummingbird, nio, yams, logging, lifecycle, signals]),
        room("Keeper", on: "service", ["Link", "Layout", "Sandbox", "Record", "Net"], packages: [logging]),

        // Tools.
        .systemLibrary(
            name: "CPcap", path: "Sources/tools/CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
        room("Replay", on: "tools", ["CPcap", "Datapath", "Ring", "Wire", "Flow", "Classifier", "Record", "Net"]),
        room("Pcapng", on: "tools"),
        room(
            "Trace", on: "tools",
            ["Replay", "Telemetry", "Analysis", "Compiler", "Policy", "Datapath", "Wire", "Flow", "Classifier", "Net"]),
        room("Lab", on: "tools", ["CXDP", "Link", "Net"], plugins: ["CompileBPF"]),
        .executableTarget(
            name: "bulkhead",
            dependencies: [
                "Analysis", "API", "Classifier", "Compiler", "Control", "Dialects", "Engine", "Keeper", "Lab", "Layout", "Link",
                "Net",
                "Pcapng", "Policy",
                "PolicyText", "Record", "Replay", "Sandbox", "State", "Telemetry", "Trace", arguments, client, http1, logging,
                nio, ssl,
            ],
            path: "Sources/tools/bulkhead", swiftSettings: settings),
        .executableTarget(name: "embed-bpf", path: "Sources/tools/embed-bpf", swiftSettings: settings),
        .plugin(name: "CompileBPF", capability: .buildTool(), dependencies: ["embed-bpf"]),
        .executableTarget(
            name: "bulkhead-perf-policy", dependencies: ["Classifier", "Compiler", "Measure", "Net", "Policy", "PolicyText"],
            path: "perf/policy",
            swiftSettings: settings),
        .executableTarget(
            name: "bulkhead-perf-store", dependencies: ["Net", "Record", "Telemetry"], path: "perf/store", swiftSettings: settings
        ),
        .executableTarget(
            name: "bulkhead-perf-sweep",
            dependencies: ["Classifier", "Datapath", "Flow", "Net", "Record", "Ring", "TestSupport"], path: "perf/sweep",
            swiftSettings: settings),
        .executableTarget(
            name: "bulkhead-perf-pipeline",
            dependencies: [
                "CReference", "Classifier", "Compiler", "Datapath", "Flow", "Measure", "Net", "Policy", "Record", "Ring",
                "Telemetry", "TestSupport",
            ], path: "perf/pipeline", swiftSettings: settings),
        .executableTarget(
            name: "bulkhead-perf-forwarder", dependencies: ["CReference", "CXDP"], path: "perf/forwarder",
            cSettings: [.unsafeFlags(["-O3"])]),
        .target(
            name: "CReference", path: "perf/reference", cSettings: [.unsafeFlags(["-O3", "-Xclang", "-fno-split-cold-code"])]),
        .target(name: "Measure", path: "perf/measure", swiftSettings: settings),

        // Tests.
        .target(
            name: "TestSupport", dependencies: ["Net", "Classifier", "Flow"], path: "Tests/TestSupport", swiftSettings: settings),
        .target(
            name: "FuzzTargets",
            dependencies: ["Dialects", "PolicyText", "Policy", "Classifier", "Flow", "Wire", "Net", "TestSupport"],
            path: "Tests/Fuzz/Targets",
            swiftSettings: settings),
        .executableTarget(name: "frame-storm", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Storm", swiftSettings: settings),
        .target(
            name: "FloodBench", dependencies: ["Datapath", "Flow", "Classifier", "Record", "Ring", "Net", "TestSupport"],
            path: "Tests/Flood/Bench", swiftSettings: settings),
        .executableTarget(name: "flood", dependencies: ["FloodBench"], path: "Tests/Flood/Main", swiftSettings: settings),
        tests("Flood", ["FloodBench"]),
        .target(name: "CDiskRecorder", path: "Tests/PowerLoss/Recorder"),
        .target(
            name: "StateTrials", dependencies: ["State", "TestSupport"], path: "Tests/PowerLoss/Trials", swiftSettings: settings),
        .executableTarget(
            name: "state-storm", dependencies: ["StateTrials", "CDiskRecorder", "TestSupport"], path: "Tests/PowerLoss/Main",
            swiftSettings: settings),
        tests("Fuzz", ["FuzzTargets", "Net"]),
        .testTarget(
            name: "DifferentialTests", dependencies: ["FuzzTargets", "Net", "TestSupport"], path: "Tests/DifferentialTests",
            exclude: ["make-captures.py", "make-traffic.sh"], swiftSettings: settings),
        tests("Net", ["Net"]),
        tests("Record", ["Record", "Net"]),
        tests("Ring", ["Ring", "Net"]),
        tests("Link", ["Link", "CXDP", "Ring", "Net"]),
        tests("Wire", ["Wire", "Net"]),
        tests("Flow", ["Flow", "Net"]),
        tests("Classifier", ["Classifier", "Net"]),
        tests("Sandbox", ["Sandbox"]),
        tests("Layout", ["Layout", "Ring", "Flow", "Classifier", "Record", "Net"]),
        tests("Datapath", ["Datapath", "Ring", "Wire", "Flow", "Classifier", "Record", "Net"]),
        tests("Engine", ["Engine", "Layout", "Datapath", "Ring", "Flow", "Classifier", "Record", "Net"]),
        tests("Policy", ["Policy", "Net"]),
        tests("PolicyText", ["PolicyText", "Policy", "Net"]),
        tests("Dialects", ["Dialects", "Analysis", "Compiler", "PolicyText", "Policy", "Net"]),
        tests("Compiler", ["Analysis", "Compiler", "PolicyText", "Policy", "Classifier", "Record", "Net"], exclude: ["Golden"]),
        tests("Analysis", ["Analysis", "Compiler", "PolicyText", "Policy", "Classifier", "Record", "Net"]),
        tests("State", ["State", "StateTrials", "Policy", "Net"], packages: [grdb]),
        tests("Telemetry", ["Telemetry", "Record", "Net"], packages: [grdb]),
        tests(
            "API", ["API", "Compiler", "PolicyText", "Policy", "State", "Telemetry", "Record", "Net"],
            packages: [hummingbirdTesting, nio, nioEmbedded, httpTypes, httpParts]),
        tests(
            "Control",
            [
                "Control", "API", "Analysis", "Compiler", "State", "Telemetry", "PolicyText", "Policy", "Classifier", "Layout",
                "Record", "Net",
            ],
            packages: [logging], exclude: ["Messages.txt"]),
        tests("Keeper", ["CXDP", "Keeper", "Layout", "Link", "Net", "Record", "Sandbox"]),
        tests("Lab", ["CXDP", "Lab", "Link", "Wire", "Net"]),
        tests("Pcapng", ["Pcapng"]),
        tests("Replay", ["Replay", "Analysis", "Compiler", "PolicyText", "Policy", "Classifier", "Net"]),
        tests(
            "Trace",
            [
                "Trace", "Replay", "Telemetry", "Analysis", "Compiler", "PolicyText", "Policy", "Flow", "Classifier", "Record",
                "Net",
            ]),
        tests("System", ["Layout", "Flow", "Net"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu11
)

// libFuzzer brings its own `main`, so its driver links only where `scripts/fuzz` builds it with the fuzzer's runtime.
if Context.environment["BULKHEAD_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz-driver", dependencies: ["FuzzTargets", "TestSupport"], path: "Tests/Fuzz/Driver", swiftSettings: settings)
    )
}

// Swift 6.3.1 crashes where it compiles Datapath for the thread sanitizer. `scripts/sanitize --thread` runs on what stands below it.
if Context.environment["BULKHEAD_THREAD_SANITIZER"] != nil {
    let rooms = ["Net", "Record", "Ring", "Flow", "Classifier"]
    let kept = Set(rooms + rooms.map { "\($0)Tests" } + ["CXDP", "TestSupport"])
    package.targets.removeAll { !kept.contains($0.name) }
    package.products = []
    package.dependencies = []
}
