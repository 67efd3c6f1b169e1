// SPDX-License-Identifier: Apache-2.0
internal import Policy
internal import PolicyText

/// Reads the INI form of an Ansible inventory: hosts with variables under `[group]`, groups under `[group:children]`, variables under
/// `[group:vars]`.
struct AnsibleText {
    private enum Section {
        case hosts(String)
        case children(String)
        case variables(String)
    }

    private let file: String
    private var inventory = AnsibleInventory()
    private var section = Section.hosts("ungrouped")

    static func inventory(_ text: Substring, file: String) throws(PolicyError) -> AnsibleInventory {
        var reader = AnsibleText(file: file)
        let start = Place(file: file, line: 1, column: 1)
        for name in AnsibleInventory.implicitGroups { reader.inventory.group(name, start, isDeclared: true) }
        var line = 1
        for content in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
            try reader.read(Array(content.last == "\r" ? content.dropLast() : content), line)
            line += 1
        }
        return reader.inventory
    }

    private init(file: String) { self.file = file }

    private mutating func read(_ line: [Unicode.Scalar], _ number: Int) throws(PolicyError) {
        let blanks = line.prefix { $0 == " " || $0 == "\t" }.count
        guard blanks < line.count, line[blanks] != "#", line[blanks] != ";" else { return }
        let place = Place(file: file, line: number, column: blanks + 1)
        if line[blanks] == "[", let head = try heading(line[blanks...], place) {
            section = head
            return
        }
        switch section {
        case .hosts(let group): try host(line, number, group)
        case .children(let parent):
            let words = try words(line, number)
            guard words.count == 1 else { throw PolicyError(words[1].place, "a line of children names one group") }
            inventory.child(words[0].text, of: parent, words[0].place)
        case .variables(let group):
            guard let sign = line.firstIndex(of: "="), sign > blanks else {
                throw PolicyError(place, "a line of variables must be key = value")
            }
            let key = trimmed(line[blanks..<sign]), value = line[(sign + 1)...]
            let column = sign + 2 + value.prefix { $0 == " " || $0 == "\t" }.count
            let text = unquoted(trimmed(value))
            inventory.set(
                key, YAMLValue(place: Place(file: file, line: number, column: column), content: .text(text)), ofGroup: group)
        }
    }

    /// `[group]`, `[group:children]` or `[group:vars]`; `nil` for a host that begins with a range or an address in brackets.
    private mutating func heading(_ line: ArraySlice<Unicode.Scalar>, _ place: Place) throws(PolicyError) -> Section? {
        guard let closing = line.firstIndex(of: "]") else { throw PolicyError(place, "the heading is not closed") }
        let behind = line[(closing + 1)...].drop { $0 == " " || $0 == "\t" }
        guard behind.isEmpty || behind.first == "#" || behind.first == ";" else { return nil }
        let text = trimmed(line[(line.startIndex + 1)..<closing])
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.first, !name.isEmpty else { throw PolicyError(place, "the heading names no group") }
        inventory.group(name, place, isDeclared: parts.count == 1 || parts[1] == "children")
        switch parts.count == 1 ? "" : parts[1] {
        case "": return .hosts(name)
        case "children": return .children(name)
        case "vars": return .variables(name)
        case let kind:
            throw PolicyError(
                place, "there is no section \"\(kind)\" of a group",
                remedy: Spelling.remedy(kind, among: ["children", "vars"]) ?? "there are children and vars")
        }
    }

    private mutating func host(_ line: [Unicode.Scalar], _ number: Int, _ group: String) throws(PolicyError) {
        let words = try words(line, number)
        guard let first = words.first else { return }
        var variables: [String: YAMLValue] = [:]
        for word in words.dropFirst() {
            guard let sign = word.text.firstIndex(of: "="), sign > word.text.startIndex else {
                throw PolicyError(word.place, "\"\(word.text)\" is no variable", remedy: "write key=value")
            }
            let key = String(word.text[..<sign])
            let offset = word.text[...sign].unicodeScalars.count
            let place = Place(file: file, line: number, column: word.place.column + offset)
            variables[key] = YAMLValue(place: place, content: .text(String(word.text[word.text.index(after: sign)...])))
        }
        try inventory.host(HostPattern(text: first.text, place: first.place), in: group, variables)
    }

    private func trimmed(_ text: ArraySlice<Unicode.Scalar>) -> String {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return string(text)
    }

    private func unquoted(_ text: String) -> String {
        guard text.count >= 2, let first = text.first, first == text.last, first == "\"" || first == "'" else { return text }
        return String(text.dropFirst().dropLast())
    }

    private func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars)
        return text
    }
}

/// Words of a line as a shell would split them.
extension AnsibleText {
    /// Blanks part words, quotes of either kind hold them together, `\` takes the next character as it is except between single
    /// quotes, and `#` begins a comment.
    private func words(_ line: [Unicode.Scalar], _ number: Int) throws(PolicyError) -> [InventoryField] {
        var words: [InventoryField] = []
        var word: InventoryField?
        var quote: Unicode.Scalar?
        var index = 0
        func begun() -> InventoryField {
            word ?? InventoryField(text: "", place: Place(file: file, line: number, column: index + 1))
        }
        while index < line.count {
            let scalar = line[index]
            if scalar == quote {
                quote = nil
            } else if scalar == "\\", quote != "'", index + 1 < line.count {
                word = begun()
                index += 1
                word?.text.unicodeScalars.append(line[index])
            } else if quote != nil {
                word?.text.unicodeScalars.append(scalar)
            } else if scalar == "\"" || scalar == "'" {
                word = begun()
                quote = scalar
            } else if scalar == " " || scalar == "\t" {
                if let word { words.append(word) }
                word = nil
            } else if scalar == "#" {
                break
            } else {
                word = begun()
                word?.text.unicodeScalars.append(scalar)
            }
            index += 1
        }
        guard quote == nil else {
            throw PolicyError(word?.place ?? Place(file: file, line: number, column: 1), "the quote is not closed")
        }
        if let word { words.append(word) }
        return words
    }
}
