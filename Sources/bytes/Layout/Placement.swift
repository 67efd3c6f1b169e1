// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Glibc

/// A set of processors by their numbers, 0 to 255, of fixed size. The text is the kernel's: `0-2,5`.
@frozen public struct ProcessorSet: BitwiseCopyable, Sendable, Hashable, CustomStringConvertible {
    /// Numbers that fit.
    public static let capacity = 256

    /// A bit for each number.
    public var words: InlineArray<4, UInt64> = .init(repeating: 0)

    /// No processor.
    public init() {}

    /// Processors by their numbers; those that do not fit are left out.
    public init(_ numbers: some Sequence<Int>) {
        for number in numbers where (0..<Self.capacity).contains(number) { words[number / 64] |= 1 << UInt64(number % 64) }
    }

    /// Those that the calling thread may run on.
    public static func allowed() -> ProcessorSet {
        var numbers = [Int32](repeating: 0, count: capacity)
        let count = unsafe cxdp_allowed_cpus(&numbers, UInt32(capacity))
        return ProcessorSet(numbers.prefix(max(0, Int(count))).map { Int($0) })
    }

    /// The numbers, ascending.
    public var numbers: [Int] { (0..<Self.capacity).filter { words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 } }

    /// Whether there is none.
    public var isEmpty: Bool { self == ProcessorSet() }

    /// Those of this set that are not in another.
    public func subtracting(_ other: ProcessorSet) -> ProcessorSet {
        var result = self
        for word in 0..<4 { result.words[word] &= ~other.words[word] }
        return result
    }

    /// Holds the calling thread to these processors, and the threads and processes that it starts from now on. Nothing changes, and the
    /// answer is false, where the set is empty or none of them may be had.
    @discardableResult public func hold() -> Bool {
        let numbers = numbers.map { Int32($0) }
        guard !numbers.isEmpty else { return false }
        return unsafe cxdp_run_on(numbers, UInt32(numbers.count)) == 0
    }

    /// As the kernel writes lists of processors: `0-2,5`.
    public var description: String {
        var runs: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = runs.last, last.upperBound == number - 1 {
                runs[runs.count - 1] = last.lowerBound...number
            } else {
                runs.append(number...number)
            }
        }
        return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }

    /// The same processors.
    public static func == (a: ProcessorSet, b: ProcessorSet) -> Bool { (0..<4).allSatisfy { a.words[$0] == b.words[$0] } }

    /// By the numbers.
    public func hash(into hasher: inout Hasher) { for word in 0..<4 { hasher.combine(words[word]) } }
}

/// Which processor each worker has, and which are left for everything else that Bulkhead does. A worker that has to wait for its
/// processor for longer than its receive ring lasts loses frames: at 350,000 a second that is 6 ms, and two threads of control that take
/// their time slices one after the other are enough.
public struct Placement: Sendable, Equatable {
    /// The processors that the daemon was allowed when it was started.
    public let allowed: ProcessorSet
    /// Workers of all pairs.
    public let workers: Int
    /// Whether the rest is to run anywhere, by configuration.
    public let isShared: Bool

    /// The placement of so many workers.
    public init(_ allowed: ProcessorSet, workers: Int, isShared: Bool) {
        (self.allowed, self.workers, self.isShared) = (allowed, workers, isShared)
    }

    /// The processor that a worker is pinned to: from the last one down, because interrupts and the rest of the machine tend to the
    /// first. Where there are more workers than processors, they take turns. `nil` where none is known.
    public func processor(ofWorker number: Int) -> Int? {
        let numbers = allowed.numbers
        return numbers.isEmpty ? nil : numbers[numbers.count - 1 - number % numbers.count]
    }

    /// Processors that no worker is pinned to, for keeper, control and data's main thread. Empty where every one has a worker, or the
    /// configuration wants them shared: control then runs on all of them and gives way.
    public var others: ProcessorSet {
        isShared ? ProcessorSet() : allowed.subtracting(ProcessorSet((0..<workers).compactMap { processor(ofWorker: $0) }))
    }
}

extension Message {
    /// The answer to `prepare`: control is to keep to these processors, and to give way to workers where there are none.
    public static func prepared(on processors: ProcessorSet) -> Message {
        var message = Message(.prepared)
        message.arguments = processors.words
        return message
    }

    /// The arguments as a set of processors; valid for `prepared`.
    public var processors: ProcessorSet {
        var set = ProcessorSet()
        set.words = arguments
        return set
    }
}

extension Placement {
    /// How far control goes behind workers with which it shares processors: to a tenth of what both want, enough for signs of life.
    public static let nice: Int32 = 10

    /// From now on the calling thread, and those that it starts, take a processor from nobody who runs, and give it up early.
    public static func giveWay() { cxdp_give_way(nice) }

    /// The same for the group of a process's session. Where the kernel makes such groups (sched(7), autogroup), precedence counts between
    /// them, and `giveWay` only inside of one. A process without dumps cannot do it for itself: its files in /proc are root's.
    public static func giveWay(sessionOf pid: Int32) {
        let group = unsafe open("/proc/\(pid)/autogroup", O_WRONLY | O_CLOEXEC)
        // Where there are no groups there is nothing to do.
        guard group >= 0 else { return }
        let text = Array("\(nice)".utf8)
        _ = unsafe write(group, text, text.count)
        close(group)
    }
}
