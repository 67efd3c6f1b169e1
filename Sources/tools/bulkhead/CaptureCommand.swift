// SPDX-License-Identifier: Apache-2.0
import API
import ArgumentParser
import Dispatch
import Foundation
import Glibc
import Telemetry

/// `bulkhead capture`.
struct CaptureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture", abstract: "Copy frames before and after their verdict into a file for Wireshark.",
        discussion: """
            Each frame stands in it as it came and as it left, with what decided in its comment: verdict, reason, both sides' rules. What is
            dropped has one sight, and what Bulkhead sent because of a frame stands beside it. Only headers are copied; --payload
            copies the rest too, and is for administrators. Conditions are those of `bulkhead flows`. Control-C ends it in good order.

              bulkhead capture --workload shop/db-1 --decision deny --output denied.pcapng
              bulkhead capture --port 443 --for 30s --output - | wireshark -k -i -
              bulkhead capture --ip 10.0.0.7 --payload --frames 2000 --output seven.pcapng
              bulkhead capture --reason outOfWindow | tcpdump -r - -n
              bulkhead capture --end
            """)

    /// Which sights of a frame are wanted.
    enum Sight: String, ExpressibleByArgument, CaseIterable {
        /// As it was received.
        case before
        /// As it left, and what was sent because of it.
        case after
        /// Both.
        case both
    }

    @Option(
        name: .shortAndLong, help: .init("The file to write; - is standard output, which is meant without it.", valueName: "file")
    )
    var output: String?

    @Option(name: .long, help: .init("Bytes of a frame at most, 1 to 1856 (default: all of its headers).", valueName: "bytes"))
    var snap: UInt32?

    @Flag(name: .long, help: "Copy payload too, which may hold secrets: needs the role administrator.")
    var payload = false

    @Option(name: .long, help: "Which sights of a frame: before, after or both.")
    var sight = Sight.both

    @Option(name: .customLong("for"), help: .init("How long, 1s to 1h (default: 5m).", valueName: "time"))
    var length: Seconds?

    @Option(name: .long, help: .init("How many sights (default: 100000).", valueName: "count"))
    var frames: UInt64?

    @Option(name: .long, help: .init("How many bytes of frames, at most 1G (default: 64M).", valueName: "bytes"))
    var size: ByteCount?

    @Option(name: .long, help: .init("Frames a second of each worker at most, 1 to 20000 (default: 2000).", valueName: "count"))
    var rate: UInt32?

    @Flag(name: .long, help: "End the capture that is going on, whoever began it.")
    var end = false

    @Flag(name: .long, help: "The summary as one JSON document, on standard error where the capture goes to standard output.")
    var json = false

    @OptionGroup var daemon: DaemonOptions

    @OptionGroup(title: "Conditions") var filter: FlowFilterOptions

    func validate() throws {
        let request = try request()
        var made = FlowFilter()
        if let fault = request.fault(&made) { throw ValidationError(fault) }
        if end, request != CaptureRequest() || output != nil { throw ValidationError("--end goes alone") }
    }

    private func request() throws -> CaptureRequest {
        var request = CaptureRequest()
        let conditions = try filter.conditions()
        if !conditions.isEmpty { request.conditions = conditions.map { .init(key: $0.key, value: $0.value) } }
        if sight != .both { request.sights = [sight.rawValue] }
        if payload { request.payload = true }
        (request.snap, request.rate, request.seconds) = (snap, rate, length?.count)
        (request.frames, request.bytes) = (frames, size?.count)
        return request
    }

    func run() async throws {
        let client = try daemon.client
        if end {
            let body = try await client.ask(.delete, "/v1/capture")
            let ended = try DaemonClient.decode(CaptureEnd.self, body)
            return say(json ? body : "the capture has ended: \(ended.counts.captured) packets")
        }
        let isPiped = output == nil || output == "-"
        if isPiped, isatty(STDOUT_FILENO) == 1 {
            throw ValidationError("a terminal shows no capture: name a file with --output, or pipe it into wireshark or tcpdump")
        }
        _ = signal(SIGPIPE, SIG_IGN)
        let file = try CaptureFile(isPiped ? nil : output)
        let (request, shows) = (try request(), isatty(STDERR_FILENO) == 1 && !json)
        let work = Task { try await Self.capture(request, client, file, showing: shows) }
        let interruption = Interruption(client, work)
        defer { interruption.stop() }
        let summary: CaptureSummary
        switch await work.result {
        case .success(let done): summary = done
        case .failure(let error):
            if shows { progress("") }
            if file.isBegun { complain("\(file.name) holds what came until then") }
            throw error
        }
        if shows { progress("") }
        let text = json ? try DaemonClient.encode(summary) : summary.text
        if isPiped || !json { complain(text) } else { say(text) }
        if summary.why == "unauthorized" { throw Outcome.failed }
    }

    /// Writes what the daemon sends until it ends, or the reader is gone.
    private static func capture(
        _ request: CaptureRequest, _ client: DaemonClient, _ file: CaptureFile, showing shows: Bool
    ) async throws -> CaptureSummary {
        do {
            try await client.stream(.post, "/v1/capture", body: request) { name, data in
                switch name {
                case "begin": try file.begin(try DaemonClient.decode(CaptureBegin.self, data))
                case "frames": try file.write(try DaemonClient.decode([FrameReport].self, data))
                case "counts":
                    file.counts = try DaemonClient.decode(CaptureCounts.self, data)
                    if shows { progress(file.summary("").progress) }
                case "end":
                    let end = try DaemonClient.decode(CaptureEnd.self, data)
                    (file.counts, file.why) = (end.counts, end.why)
                default: break
                }
            }
        } catch is CaptureFile.ReaderIsGone {
            return file.summary("reader")
        } catch  where file.why == nil && Task.isCancelled {
            file.why = "interrupted"
        } catch {
            // What came until then is a whole file.
            try? file.finish()
            throw error
        }
        guard let why = file.why else {
            try file.finish()
            throw DaemonClient.Failure(description: "the daemon has ended the stream; it is stopping or was restarted")
        }
        try file.finish()
        return file.summary(why)
    }
}

/// Shows how far it is in one line of the terminal.
private func progress(_ text: String) {
    let line = Array("\r\u{1b}[K\(text)".utf8)
    _ = unsafe line.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// Ends a capture at a signal: the first asks the daemon, which sends what there still is; another one, or three seconds, ends it here.
private final class Interruption {
    private let sources: [any DispatchSourceSignal]

    init(_ client: DaemonClient, _ work: Task<CaptureSummary, any Error>) {
        let count = SignalCount()
        sources = [SIGINT, SIGTERM].map { number in
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler {
                guard count.isFirst else { return work.cancel() }
                Task {
                    _ = try? await client.ask(.delete, "/v1/capture")
                    try? await Task.sleep(for: .seconds(3))
                    work.cancel()
                }
            }
            source.resume()
            return source
        }
    }

    func stop() { for source in sources { source.cancel() } }
}
