// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// Numbers of label sets, in the order in which they came. Each text is a word, so that a label set is a short list of words that says
/// all of it, and equal lists are one: a million workloads ask, nearly all of them for a label set that is known.
struct LabelSetNumbers {
    private var words: [String: UInt32] = [:]
    /// List `number + 1` spells the label set of a number.
    private var lists = Lists()
    /// Room for the label set that is spelled.
    private var spelling: [UInt32] = []

    /// The number of a label set; a new one if it has none.
    mutating func number(of labelSet: LabelSet) -> UInt32 {
        spelling.removeAll(keepingCapacity: true)
        spelling.spell(labelSet, &words)
        return lists.number(of: spelling) - 1
    }

    /// The number of a label set that has one.
    func number(ifAny labelSet: LabelSet) -> UInt32? {
        // What is learnt here is forgotten: whoever is spelled with a new word has no number.
        var (words, spelling) = (words, [UInt32]())
        spelling.spell(labelSet, &words)
        return lists.find(spelling).map { $0 - 1 }
    }
}

extension [UInt32] {
    /// Appends what a label set says, each list in it behind its length and by ascending words.
    fileprivate mutating func spell(_ labelSet: LabelSet, _ words: inout [String: UInt32]) {
        append(words.number(of: labelSet.namespace))
        append(words.number(of: labelSet.serviceAccount))
        append(UInt32(labelSet.labels.count))
        var labels: [UInt64] = []
        labels.reserveCapacity(labelSet.labels.count)
        for (key, value) in labelSet.labels {
            labels.append(UInt64(words.number(of: key)) << 32 | UInt64(words.number(of: value)))
        }
        labels.sort()
        for label in labels {
            append(UInt32(label >> 32))
            append(UInt32(truncatingIfNeeded: label))
        }
        append(UInt32(labelSet.services.count))
        for (name, range) in labelSet.services.sorted(by: { $0.key < $1.key }) {
            self += [words.number(of: name), range.first, range.end, range.namesTunnels ? 1 : 0]
        }
        append(labelSet.isBindable ? 1 : 0)
        switch labelSet.owner {
        case .shared: append(0)
        case .hosts(let name): self += [1, words.number(of: name.namespace), words.number(of: name.name)]
        case .blocks(let name): self += [2, words.number(of: name.namespace), words.number(of: name.name)]
        }
    }
}

extension [String: UInt32] {
    /// The word of a text, from 1; a new one if it has none.
    fileprivate mutating func number(of text: String) -> UInt32 {
        if let known = self[text] { return known }
        self[text] = UInt32(count) + 1
        return UInt32(count)
    }

    /// The word of a text that may be absent, which is 0.
    fileprivate mutating func number(of text: String?) -> UInt32 { text.map { number(of: $0) } ?? 0 }
}
