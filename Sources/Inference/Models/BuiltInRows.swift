internal import CDefaultModel
internal import Denoisers
internal import Kernels
internal import ModelFiles
internal import Tensors

/// Clean embeddings that are linked into the executable; [rows, 384], each of length 1.
///
/// They are made anew by every call: nobody needs them but a training run.
enum BuiltInRows {
    /// Of several kinds of text, for judging models.
    static func forJudgement() -> [Float] {
        unsafe rows(judgement_rows_start(), judgement_rows_size, "the built-in judgement set")
    }

    /// Of the text behind the built-in model, for adapting it.
    static func forReplay() -> [Float] {
        unsafe rows(replay_rows_start(), replay_rows_size, "the built-in replay sample")
    }

    private static func rows(
        _ start: UnsafePointer<UInt8>, _ size: Int, _ name: String
    ) -> [Float] {
        let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: size))
        guard let file = try? Checkpoint(linked: bytes, file: name) else { return [] }
        var rows: [Float] = []
        for (_, tensor) in file.tensors where tensor.shape.last == embeddingWidth {
            let values = tensor.span
            for i in values.indices { rows.append(values[i]) }
        }
        let count = rows.count / embeddingWidth
        var span = rows.mutableSpan
        scaleRowsToLengthOne(MutableMatrixView(&span, rows: count, columns: embeddingWidth))
        return rows
    }
}
