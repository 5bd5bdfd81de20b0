internal import Kernels
internal import Tensors

extension AdaptiveConstants {
    /// No variance is taken for less: axes along which clean rows do not vary would divide by it.
    private static let leastVariance = 2e-5

    /// Mean and principal axes of `rows` [rows, width], of which there are two or more.
    ///
    /// - Parameter pilots: elements that the encoder leaves 0.
    /// - Throws: `parameters` if the rows are not finite.
    init(of rows: [Float], width: Int, pilots: [Int]) throws(AdaptiveError) {
        let count = rows.count / width
        precondition(count > 1 && rows.count == count * width, "\(rows.count) values")
        let mean = Self.mean(of: rows, width)
        let covariance = Self.covariance(of: rows, mean)
        guard let eigen = SymmetricEigen(covariance, n: width) else {
            throw .parameters("rows to train on hold a number that is not finite")
        }
        var axes = [Float](repeating: 0, count: width * width)
        for axis in 0..<width {
            for i in 0..<width { axes[i * width + axis] = Float(eigen.vectors[axis * width + i]) }
        }
        let variances = eigen.values.map { Float(max($0, Self.leastVariance)) }
        self.init(
            mean: Tensor(shape: [width], copying: mean.span),
            axes: Tensor(shape: [width, width], copying: axes.span),
            variances: Tensor(shape: [width], copying: variances.span), pilots: pilots)
    }

    private static func mean(of rows: [Float], _ width: Int) -> [Float] {
        var sums = [Double](repeating: 0, count: width)
        for start in stride(from: 0, to: rows.count, by: width) {
            for i in 0..<width { sums[i] += Double(rows[start + i]) }
        }
        let count = Double(rows.count / width)
        return sums.map { Float($0 / count) }
    }

    /// The covariance [width, width], summed in double over blocks.
    private static func covariance(of rows: [Float], _ mean: [Float]) -> [Double] {
        let width = mean.count
        let count = rows.count / width
        let block = min(1024, count)
        var centred = Matrix(rows: block, columns: width)
        var products = Matrix(rows: width, columns: width)
        var sums = [Double](repeating: 0, count: width * width)
        for first in stride(from: 0, to: count, by: block) {
            let part = min(block, count - first)
            centred.rows = part
            var output = centred.mutableSpan
            for row in 0..<part {
                for i in 0..<width {
                    output[row * width + i] = rows[(first + row) * width + i] - mean[i]
                }
            }
            multiply(centred.view.transposed, centred.view, into: products.mutableView)
            let product = products.span
            for i in sums.indices { sums[i] += Double(product[i]) }
        }
        return sums.map { $0 / Double(count - 1) }
    }

    /// `rows` [rows, width] less the mean, along the axes.
    func onAxes(_ rows: Span<Float>) -> [Float] {
        var result = [Float](repeating: 0, count: rows.count)
        var span = result.mutableSpan
        project(rows, into: &span)
        return result
    }

    /// The same, for several threads.
    func sharedOnAxes(_ rows: Span<Float>) -> SharedMatrix {
        let matrix = SharedMatrix(rows: rows.count / variances.count, columns: variances.count)
        var span = unsafe matrix.mutableSpan()
        project(rows, into: &span)
        return matrix
    }

    private func project(_ rows: Span<Float>, into result: inout MutableSpan<Float>) {
        let width = variances.count
        let count = rows.count / width
        multiply(
            MatrixView(rows, rows: count, columns: width),
            MatrixView(axes.span, rows: width, columns: width),
            into: MutableMatrixView(&result, rows: count, columns: width))
        let shift = meanOnAxes
        let means = shift.span
        for row in 0..<count {
            for i in 0..<width { result[row * width + i] -= means[i] }
        }
    }
}
