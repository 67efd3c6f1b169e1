// SPDX-License-Identifier: Apache-2.0
internal import CPcap

/// A frame of a capture, as it was recorded.
struct CapturedFrame {
    /// Its place in the file, from 1.
    var number: Int
    /// When it was seen, in nanoseconds of unix time.
    var time: UInt64
    /// The bytes that were recorded.
    var bytes: [UInt8]
    /// How long the frame was on the wire; more than `bytes` where the capture was made with a snap length.
    var wireLength: Int
    /// The interface that saw it, where the file says so (pcapng).
    var interface: String?
}

/// A capture file, read frame by frame by libpcap: pcap with microseconds or nanoseconds, and pcapng.
///
/// libpcap does not tell which interface of a pcapng file saw a frame; `CaptureInterfaces` reads that beside it.
@safe final class CaptureFile {
    private let handle: OpaquePointer
    private let interfaces: CaptureInterfaces?
    private let path: String
    private var count = 0

    /// Opens a capture; `-` is standard input.
    init(path: String) throws(ReplayError) {
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        // libpcap writes at most PCAP_ERRBUF_SIZE bytes with a final zero.
        let opened = unsafe message.withUnsafeMutableBufferPointer { buffer in
            unsafe pcap_open_offline_with_tstamp_precision(path, UInt32(PCAP_TSTAMP_PRECISION_NANO), buffer.baseAddress)
        }
        guard let opened = unsafe opened else {
            throw .cannotOpen(file: path, why: text(message))
        }
        let type = unsafe pcap_datalink(opened)
        guard type == DLT_EN10MB else {
            let name = unsafe pcap_datalink_val_to_name(type).map { unsafe String(cString: $0) } ?? String(type)
            unsafe pcap_close(opened)
            throw .notEthernet(file: path, link: name)
        }
        unsafe handle = opened
        self.path = path
        interfaces = path == "-" ? nil : CaptureInterfaces(path: path)
    }

    deinit { unsafe pcap_close(handle) }

    /// The next frame; `nil` at the file's end. Throws where the file is cut or damaged.
    func next() throws(ReplayError) -> CapturedFrame? {
        var header: UnsafeMutablePointer<pcap_pkthdr>?
        var data: UnsafePointer<UInt8>?
        let result = unsafe pcap_next_ex(handle, &header, &data)
        guard result == 1, let header = unsafe header, let data = unsafe data else {
            if result == PCAP_ERROR_BREAK { return nil }
            let why = unsafe pcap_geterr(handle).map { unsafe String(cString: $0) } ?? "unknown"
            throw .cut(file: path, frames: count, why: why)
        }
        count += 1
        // libpcap keeps `caplen` bytes at `data` until the next call, and has held them against the snap length.
        let recorded = unsafe UnsafeBufferPointer(start: data, count: Int(header.pointee.caplen))
        let seconds = unsafe UInt64(clamping: header.pointee.ts.tv_sec)
        let fraction = unsafe UInt64(clamping: header.pointee.ts.tv_usec)
        return CapturedFrame(
            number: count, time: seconds &* 1_000_000_000 &+ fraction, bytes: unsafe Array(recorded),
            wireLength: unsafe Int(header.pointee.len), interface: interfaces?.next())
    }
}

/// The bytes of a capture's frame, counted from 1; `nil` where the file has fewer.
package func frame(_ number: Int, ofCapture path: String) throws(ReplayError) -> [UInt8]? {
    let capture = try CaptureFile(path: path)
    while let frame = try capture.next() {
        if frame.number == number { return frame.bytes }
    }
    return nil
}

/// The text in a buffer of C's.
private func text(_ message: [CChar]) -> String {
    String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
