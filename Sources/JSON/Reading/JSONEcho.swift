extension JSONTree {
    /// Appends `node` as
    /// `json.dumps(json.loads(…), ensure_ascii=False, separators=(",", ":"))` prints it.
    ///
    /// For two values Python fails and this does not: a number that is not finite becomes `null`,
    /// an unpaired surrogate an escape.
    public func write(_ node: JSONNode, into output: inout [UInt8]) {
        switch kind(of: node) {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer: for i in integerText(of: node) { output.append(text[i]) }
        case .float: appendJSON(double(of: node), to: &output)
        case .string: writeString(at: node.start, into: &output)
        case .array:
            output.append(UInt8(ascii: "["))
            forEachElement(of: node) { index, element in
                if index > 0 { output.append(UInt8(ascii: ",")) }
                write(element, into: &output)
                return true
            }
            output.append(UInt8(ascii: "]"))
        case .object:
            output.append(UInt8(ascii: "{"))
            for (i, member) in distinctMembers(of: node).enumerated() {
                if i > 0 { output.append(UInt8(ascii: ",")) }
                writeString(at: Int(member.key), into: &output)
                output.append(UInt8(ascii: ":"))
                write(member.value, into: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// An object's members as in a `dict`: in the order of each name's first occurrence, with its
    /// last value.
    func distinctMembers(of object: JSONNode) -> [(key: UInt32, value: JSONNode)] {
        var members: [(key: UInt32, value: JSONNode)] = []
        forEachMember(of: object) { members.append((UInt32($0), $1)) }
        guard members.count > 1 else { return members }
        // Open addressing over member numbers, four bytes a slot: a dictionary of strings would
        // take more memory than the body. Swift's hasher is seeded, so nobody can make names
        // collide.
        let slots = 1 << (Int.bitWidth - (2 * members.count - 1).leadingZeroBitCount)
        var table = [UInt32](repeating: .max, count: slots)
        var kept = 0
        for member in members {
            let name = string(at: Int(member.key))
            var hasher = Hasher()
            unsafe name.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
            var slot = hasher.finalize() & (slots - 1)
            while table[slot] != .max, string(at: Int(members[Int(table[slot])].key)) != name {
                slot = (slot + 1) & (slots - 1)
            }
            if table[slot] == .max {
                table[slot] = UInt32(kept)
                members[kept] = member
                kept += 1
            } else {
                members[Int(table[slot])].value = member.value
            }
        }
        members.removeSubrange(kept...)
        return members
    }
}
