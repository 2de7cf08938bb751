import QtQuick
import QtQuick.Shapes
import Kiosk.ViewModels

// A small line drawing with the same stroke as the large ones.
Item {
    id: root

    property string path
    property color tone: Theme.accent
    property real stroke: Theme.stroke * 0.8
    property real size: Theme.lead * 1.3

    implicitHeight: size
    implicitWidth: size

    Shape {
        height: 24
        scale: root.width / 24
        transformOrigin: Item.TopLeft
        width: 24

        ShapePath {
            capStyle: ShapePath.RoundCap
            fillColor: "transparent"
            joinStyle: ShapePath.RoundJoin
            strokeColor: root.tone
            strokeWidth: root.stroke * 24 / Math.max(1, root.width)

            PathSvg {
                path: root.path
            }
        }
    }
}
