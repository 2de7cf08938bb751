import QtQuick
import QtQuick.Shapes
import Kiosk.ViewModels

// A large line drawing on a field of 200 by 200: ground, soft fill, strokes, an accented fill.
Item {
    id: root

    property string ground: "M100 4 A96 96 0 1 1 99.99 4 Z"
    property string fill
    property string strokes
    property string thin
    property string solid
    property real stroke: Theme.stroke

    implicitHeight: width

    Shape {
        height: 200
        scale: root.width / 200
        transformOrigin: Item.TopLeft
        width: 200

        ShapePath {
            fillColor: Theme.accentSoft
            strokeColor: "transparent"

            PathSvg {
                path: root.ground
            }
        }

        ShapePath {
            fillColor: Theme.surface
            strokeColor: "transparent"

            PathSvg {
                path: root.fill
            }
        }

        ShapePath {
            capStyle: ShapePath.RoundCap
            fillColor: "transparent"
            joinStyle: ShapePath.RoundJoin
            strokeColor: Theme.accent
            strokeWidth: root.stroke * 100 / Math.max(1, root.width)

            PathSvg {
                path: root.thin
            }
        }

        ShapePath {
            capStyle: ShapePath.RoundCap
            fillColor: "transparent"
            joinStyle: ShapePath.RoundJoin
            strokeColor: Theme.accent
            strokeWidth: root.stroke * 200 / Math.max(1, root.width)

            PathSvg {
                path: root.strokes
            }
        }

        ShapePath {
            fillColor: Theme.accent
            strokeColor: "transparent"

            PathSvg {
                path: root.solid
            }
        }
    }
}
